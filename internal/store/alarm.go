package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Alarm is an alarm of an entity, and what became of it.
type Alarm struct {
	engine.Raised
	Told engine.Date // on which that was decided
	Over engine.Date // on which it was found to be over; NoDate = it stands
}

type alarmRow struct {
	Entity          engine.EntityKind
	ID, Rep         string
	Day, Told, Over int64
	State, Reason   string
	Evidence        []byte
	Alarm           string
	P               float64
}

const alarmColumns = "entity, id, alarm, day, told, over, rep, p, state, reason, evidence"

func (r *alarmRow) open() (Alarm, error) {
	a := Alarm{Told: engine.Date(r.Told), Over: engine.Date(r.Over)}
	if r.Over == never {
		a.Over = engine.NoDate
	}
	a.Entity = engine.Entity{Kind: r.Entity, ID: r.ID}
	a.Rep, a.Reason = r.Rep, engine.AlarmReason(r.Reason)
	var ok bool
	if a.State, ok = engine.ParseAlarmState(r.State); !ok {
		return a, fmt.Errorf("%w: there is no state %q of alarms", errCorrupt, r.State)
	}
	return a, json.Unmarshal(r.Evidence, &a.Alarm)
}

// alarms reads rows that have a condition in common.
func alarms(ctx context.Context, q sqlx.QueryerContext, where string, args ...any) ([]Alarm, error) {
	var rows []alarmRow
	if err := sqlx.SelectContext(ctx, q, &rows, "SELECT "+alarmColumns+" FROM alarm WHERE "+where, args...); err != nil {
		return nil, err
	}
	list := make([]Alarm, len(rows))
	for i := range rows {
		var err error
		if list[i], err = rows[i].open(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Alarms gives the alarms that stand, the least likely first.
func (s *Store) Alarms(ctx context.Context) ([]Alarm, error) {
	list, err := alarms(ctx, s.read, s.read.Rebind("over = ? ORDER BY p, alarm, entity, id, day"), never)
	return list, storeError("read alarms", err)
}

// AlarmsOf gives the alarms of one entity that stand, by kind of alarm.
func (s *Store) AlarmsOf(ctx context.Context, e engine.Entity) ([]Alarm, error) {
	list, err := alarms(ctx, s.read, s.read.Rebind("over = ? AND entity = ? AND id = ?"), never, e.Kind, e.ID)
	slices.SortStableFunc(list, func(a, b Alarm) int { return int(a.Alarm.Kind) - int(b.Alarm.Kind) })
	return list, storeError("read alarms", err)
}

// AlarmsOfEach gives the alarms that stand of entities of a kind, by id, those of one by kind of alarm.
func (s *Store) AlarmsOfEach(ctx context.Context, kind engine.EntityKind, ids []string) (map[string][]Alarm, error) {
	const page = 400 // ids in one statement
	found := map[string][]Alarm{}
	for some := range slices.Chunk(ids, page) {
		where, args, err := sqlx.In("over = ? AND entity = ? AND id IN (?)", never, kind, some)
		if err != nil {
			return nil, storeError("read alarms", err)
		}
		list, err := alarms(ctx, s.read, s.read.Rebind(where), args...)
		if err != nil {
			return nil, storeError("read alarms", err)
		}
		slices.SortStableFunc(list, func(a, b Alarm) int { return int(a.Alarm.Kind) - int(b.Alarm.Kind) })
		for _, a := range list {
			found[a.Entity.ID] = append(found[a.Entity.ID], a)
		}
	}
	return found, nil
}

// Standing is an alarm that stands, and what became of it, without its evidence.
type Standing struct {
	engine.Entity
	Alarm  engine.AlarmKind
	Since  engine.Date
	State  engine.AlarmState
	Reason engine.AlarmReason
	row    alarmRow
}

// Standing gives the alarms of entities that stand.
func (s *Store) Standing(ctx context.Context, entities []engine.Entity) ([]Standing, error) {
	const page = 400 // ids in one statement
	var list []Standing
	for some := range slices.Chunk(entities, page) {
		ids := map[engine.EntityKind][]string{}
		for _, e := range some {
			ids[e.Kind] = append(ids[e.Kind], e.ID)
		}
		for kind, ids := range ids {
			where, args, err := sqlx.In("over = ? AND entity = ? AND id IN (?)", never, kind, ids)
			if err != nil {
				return nil, storeError("read alarms", err)
			}
			if list, err = s.standing(ctx, list, where, args...); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// MutedByRule gives the alarms that stand and that nobody is told of, since a rule says so.
func (s *Store) MutedByRule(ctx context.Context) ([]Standing, error) {
	return s.standing(ctx, nil, "over = ? AND reason = ?", never, string(engine.MutedByRule))
}

// standing adds the alarms to list that have a condition in common.
func (s *Store) standing(ctx context.Context, list []Standing, where string, args ...any) ([]Standing, error) {
	rows, err := s.read.QueryxContext(ctx, s.read.Rebind("SELECT "+alarmColumns+" FROM alarm WHERE "+where), args...)
	if err != nil {
		return nil, storeError("read alarms", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r alarmRow
		if err := rows.Scan(&r.Entity, &r.ID, &r.Alarm, &r.Day, &r.Told, &r.Over, &r.Rep, &r.P, &r.State, &r.Reason, &r.Evidence); err != nil {
			return nil, storeError("read alarms", err)
		}
		a := Standing{Entity: engine.Entity{Kind: r.Entity, ID: r.ID}, Since: engine.Date(r.Day), Reason: engine.AlarmReason(r.Reason), row: r}
		var known, stated bool
		a.Alarm, known = engine.ParseAlarmKind(r.Alarm)
		if a.State, stated = engine.ParseAlarmState(r.State); !known || !stated {
			return nil, storeError("read alarms", fmt.Errorf("%w: there is no alarm %q or no state %q of one", errCorrupt, r.Alarm, r.State))
		}
		list = append(list, a)
	}
	return list, storeError("read alarms", rows.Err())
}

// ToldOf counts the alarms that each sales person was told of from first to last, both included.
func (s *Store) ToldOf(ctx context.Context, first, last engine.Date) (map[string]int, error) {
	var rows []struct {
		Rep string
		N   int
	}
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT rep, COUNT(*) AS n FROM alarm WHERE told >= ? AND told <= ? AND state = ? AND rep <> '' GROUP BY rep"),
		first, last, engine.Fired.String())
	told := make(map[string]int, len(rows))
	for _, r := range rows {
		told[r.Rep] = r.N
	}
	return told, storeError("read alarms", err)
}

// AlarmsUpTo gives the generation of the ledger up to which SaveAlarms was told of.
func (s *Store) AlarmsUpTo(ctx context.Context) (int64, error) {
	n, err := number(ctx, s.read, alarmsName)
	return n, storeError("read alarms", err)
}

const alarmsName = "alarms"

// SaveAlarms keeps what was raised of the entities that were looked at. before
// are their alarms that stood; those that were not raised again are over. Saving
// the same again changes nothing. upTo is the generation of the ledger that they
// were looked at in.
func (s *Store) SaveAlarms(ctx context.Context, asOf engine.Date, upTo int64, before []Standing, raised []engine.Raised) error {
	type key struct {
		engine.Entity
		kind  engine.AlarmKind
		since engine.Date
	}
	left := make(map[key]*alarmRow, len(before))
	for i := range before {
		b := &before[i]
		left[key{b.Entity, b.Alarm, b.Since}] = &b.row
	}
	return s.tx(ctx, "keep alarms", func(tx *sqlx.Tx) error {
		if err := note(ctx, tx, alarmsName, strconv.FormatInt(upTo, 10)); err != nil {
			return err
		}
		put, err := tx.PreparexContext(ctx, tx.Rebind(`INSERT INTO alarm (`+alarmColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (entity, id, alarm, day) DO UPDATE SET over = excluded.over, rep = excluded.rep, p = excluded.p, evidence = excluded.evidence,
			told = CASE WHEN alarm.state = excluded.state THEN alarm.told ELSE excluded.told END, state = excluded.state, reason = excluded.reason`))
		if err != nil {
			return err
		}
		defer put.Close()
		for _, a := range raised {
			evidence, err := json.Marshal(a.Alarm)
			if err != nil {
				return err
			}
			r := alarmRow{a.Entity.Kind, a.Entity.ID, a.Rep, int64(a.Alarm.Since), int64(asOf), never, a.State.String(), string(a.Reason), evidence, a.Alarm.Kind.String(), a.Alarm.P}
			was := left[key{a.Entity, a.Alarm.Kind, a.Alarm.Since}]
			delete(left, key{a.Entity, a.Alarm.Kind, a.Alarm.Since})
			if was != nil && r.says(was) {
				continue
			}
			_, err = put.ExecContext(ctx, r.Entity, r.ID, r.Alarm, r.Day, r.Told, r.Over, r.Rep, r.P, r.State, r.Reason, string(r.Evidence))
			if err != nil {
				return err
			}
		}
		for _, r := range left {
			_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE alarm SET over = ? WHERE entity = ? AND id = ? AND alarm = ? AND day = ?"), asOf, r.Entity, r.ID, r.Alarm, r.Day)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// says tells whether r tells of the same alarm nothing else than was.
func (r *alarmRow) says(was *alarmRow) bool {
	return r.Rep == was.Rep && r.P == was.P && r.State == was.State && r.Reason == was.Reason && bytes.Equal(r.Evidence, was.Evidence)
}

// EndAlarms ends all alarms of a kind of entity: they are no longer looked for.
func (s *Store) EndAlarms(ctx context.Context, asOf engine.Date, kind engine.EntityKind) error {
	return s.tx(ctx, "keep alarms", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE alarm SET over = ? WHERE over = ? AND entity = ?"), asOf, never, kind)
		return err
	})
}

// Touch makes a plan look at entities, though nothing of theirs changed.
func (s *Store) Touch(ctx context.Context, entities []engine.Entity) error {
	if len(entities) == 0 {
		return nil
	}
	return s.ledgerTx(ctx, "mark scores", func(tx *sqlx.Tx) error {
		generation, err := increase(ctx, tx, "generation")
		if err != nil {
			return err
		}
		touched := make([]*entry, len(entities))
		for i, e := range entities {
			touched[i] = &entry{hash: ledgerHash(e), kind: e.Kind, id: e.ID}
		}
		slices.SortFunc(touched, compareEntries)
		return ledgerTable.merge(ctx, tx, &queue[*entry]{touched}, func(old, in []*entry) ([]*entry, bool, error) {
			changed := false
			for _, e := range old {
				if _, found := slices.BinarySearchFunc(in, e, compareEntries); found {
					e.dirty, changed = uint64(generation), true
				}
			}
			return old, changed, nil
		})
	})
}

// eraseAlarms removes a person's own alarms.
func eraseAlarms(ctx context.Context, tx *sqlx.Tx, p *Person, _ *Erasure) error {
	for _, id := range p.Contacts {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM alarm WHERE entity = ? AND id = ?"), engine.Contact, id); err != nil {
			return err
		}
	}
	return nil
}
