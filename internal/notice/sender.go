package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"time"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// Store is what a Sender keeps: what each channel was told of.
type Store interface {
	Untold(ctx context.Context, channel string, now time.Time) ([]store.AlertChange, error)
	ClaimAlert(ctx context.Context, channel, what string, now time.Time) (bool, error)
	ToldAlert(ctx context.Context, channel, what, state string) error
	DigestOf(ctx context.Context, channel, reader string) (store.Digest, error)
	ClaimDigest(ctx context.Context, channel, reader string, day engine.Date, now time.Time) (bool, error)
	EndDigest(ctx context.Context, channel, reader string, state store.DigestState, told []string) error
}

// Sender tells the readers of one configuration.
type Sender struct {
	Settings
	Store    Store
	Log      *slog.Logger
	Now      func() time.Time
	Zone     *time.Location
	Language string
	// Alarms are those that stand and that people are told of, the least likely first.
	Alarms func(ctx context.Context) ([]Alarm, error)
	// Address is a sales person's mail address by the CRM id; "" = none is known.
	Address func(ctx context.Context, rep string) (string, error)

	told  engine.Date // the day on which all who read alarms were told; zero = none
	waits bool        // somebody of this pass is to be tried again later
}

// channel is a way to readers.
type channel struct {
	name   string // in the store and in logs: it names nobody
	label  string // on a terminal
	to     string // a mail address; "" = by reader, or none is needed
	alerts bool
	alarms bool
	owners bool // each sales person is a reader of the alarms of own customers
	send   func(ctx context.Context, to string, m message) error
}

func (s *Sender) channels() []channel {
	var list []channel
	for _, w := range s.Webhooks {
		name := "web hook " + w.Name
		list = append(list, channel{name: name, label: name, alerts: w.Alerts, alarms: w.Alarms, send: hook{w, s.Log}.send})
	}
	if s.Mail.Server == "" {
		return list
	}
	post := postman{s.Mail, s.Now}
	if s.Mail.Owners {
		list = append(list, channel{name: "mail to owners", label: "mail to owners", alarms: true, owners: true, send: post.send})
	}
	addresses := slices.Concat(s.Mail.Alerts, s.Mail.Alarms)
	slices.Sort(addresses)
	for _, a := range slices.Compact(addresses) {
		list = append(list, channel{name: "mail " + hash(strings.ToLower(a)), label: "mail to " + a, to: a,
			alerts: slices.Contains(s.Mail.Alerts, a), alarms: slices.Contains(s.Mail.Alarms, a), send: post.send})
	}
	return list
}

// hash stands for what is not to be kept or logged.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// look is how often there is a look for digests that are due and for what is to be tried again.
const look = time.Minute

// Run tells of what is to be told until ctx ends, at once when changed says that an alert is new.
func (s *Sender) Run(ctx context.Context, changed <-chan struct{}) {
	if !s.Any() {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err := s.Send(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("not everybody was told; it is tried again", "error", err, "what_to_do", fault.HintOf(err))
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-tick.C:
		}
	}
}

// Send tells each reader of what is news: of alerts at once, of alarms once a
// day from Settings.At on. It gives how many messages left. What does not leave
// is tried again by a later Send, after growing pauses; one reader who cannot be
// reached stops no other. Faults: those of the ways, of the first that failed.
func (s *Sender) Send(ctx context.Context) (sent int, err error) {
	var failures []error
	for _, c := range s.channels() {
		n, err := s.tellAlerts(ctx, c)
		sent += n
		if err != nil {
			failures = append(failures, err)
		}
	}
	n, err := s.tellAlarms(ctx)
	return sent + n, errors.Join(append(failures, err)...)
}

func (s *Sender) tellAlerts(ctx context.Context, c channel) (sent int, err error) {
	if !c.alerts {
		return 0, nil
	}
	changes, err := s.Store.Untold(ctx, c.name, s.Now())
	if err != nil {
		return 0, err
	}
	for _, change := range changes {
		if won, err := s.Store.ClaimAlert(ctx, c.name, change.What, s.Now()); err != nil || !won {
			return sent, err
		}
		if err := c.send(ctx, c.to, s.alert(change)); err != nil {
			return sent, err // the others would meet the same
		}
		sent++
		if err := s.Store.ToldAlert(context.WithoutCancel(ctx), c.name, change.What, change.State); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// tellAlarms sends the digests that are due.
func (s *Sender) tellAlarms(ctx context.Context) (sent int, err error) {
	now := s.Now().In(s.Zone)
	if now.Format(clock) < s.At {
		return 0, nil
	}
	year, month, date := now.Date()
	day := engine.DateOf(year, month, date)
	if s.told == day { // what comes later is told tomorrow
		return 0, nil
	}
	s.waits = false
	due, err := s.due(ctx, day)
	if err != nil {
		return 0, err
	}
	var alarms []Alarm
	if len(due) > 0 {
		if alarms, err = s.Alarms(ctx); err != nil {
			return 0, err
		}
	}
	var failures []error
	unknown := 0
	for _, c := range due {
		for reader, theirs := range c.readers(alarms) {
			to := c.to
			if c.owners {
				if to, err = s.Address(ctx, reader); err != nil {
					return sent, err
				}
				if _, err := mail.ParseAddress(to); err != nil {
					unknown++
					continue
				}
			}
			left, err := s.tellReader(ctx, c, reader, to, day, theirs)
			if left {
				sent++
			}
			if err != nil {
				failures = append(failures, err)
			}
		}
	}
	if unknown > 0 {
		s.Log.Warn("sales people without a mail address are not told of alarms", "people", unknown, "what_to_do", "fill in their address in the CRM, and map it to the key email of the users")
	}
	if len(failures) == 0 && !s.waits {
		s.told = day
	}
	return sent, errors.Join(failures...)
}

// due are the channels whose digests may be due, so that alarms are not read each minute for nothing.
func (s *Sender) due(ctx context.Context, day engine.Date) ([]channel, error) {
	var due []channel
	for _, c := range s.channels() {
		if !c.alarms {
			continue
		}
		if !c.owners { // owners are known by the alarms
			d, err := s.Store.DigestOf(ctx, c.name, "")
			if err != nil {
				return nil, err
			}
			if !s.isDue(d, day) {
				continue
			}
		}
		due = append(due, c)
	}
	return due, nil
}

// isDue tells whether a digest may be sent now, and notes when that is a matter of minutes.
func (s *Sender) isDue(d store.Digest, day engine.Date) bool {
	due := d.Due(day, s.Now())
	s.waits = s.waits || !due && d.Day == day && d.State == store.DigestWaits
	return due
}

// readers gives the alarms of each reader: "" stands for all who read the channel.
func (c channel) readers(alarms []Alarm) map[string][]Alarm {
	if !c.owners {
		return map[string][]Alarm{"": alarms}
	}
	byRep := map[string][]Alarm{}
	for _, a := range alarms {
		if a.Rep != "" {
			byRep[a.Rep] = append(byRep[a.Rep], a)
		}
	}
	return byRep
}

// tellReader sends a reader the alarms that are news, if there are any.
func (s *Sender) tellReader(ctx context.Context, c channel, reader, to string, day engine.Date, alarms []Alarm) (left bool, err error) {
	d, err := s.Store.DigestOf(ctx, c.name, reader)
	if err != nil || !s.isDue(d, day) {
		return false, err
	}
	var news []Alarm
	var told []string
	for _, a := range alarms {
		mark := hash(a.ID + "\x00" + a.Kind + "\x00" + a.Since)
		if !slices.Contains(d.Told, mark) {
			news = append(news, a)
		}
		told = append(told, mark)
	}
	if len(news) == 0 {
		return false, nil
	}
	if won, err := s.Store.ClaimDigest(ctx, c.name, reader, day, s.Now()); err != nil || !won {
		return false, err
	}
	err = c.send(ctx, to, s.digest(day, news, c.owners))
	var doubt *doubtError
	state := store.DigestSent
	switch {
	case errors.As(err, &doubt): // it stays as one that may have arrived
		return false, err
	case err != nil:
		state = store.DigestWaits
	}
	return err == nil, errors.Join(err, s.Store.EndDigest(context.WithoutCancel(ctx), c.name, reader, state, told))
}

// Trial is what became of a message that was sent to try a channel.
type Trial struct {
	Channel string `json:"channel"`
	Error   string `json:"error,omitempty"`
	ToDo    string `json:"what_to_do,omitempty"`
}

// Try sends a trial to each channel, or to those whose name begins so. To owners nothing is sent: nobody of them asked.
func (s *Sender) Try(ctx context.Context, name string) []Trial {
	var trials []Trial
	for _, c := range s.channels() {
		if c.owners || !strings.HasPrefix(c.label, name) {
			continue
		}
		t := Trial{Channel: c.label}
		if err := c.send(ctx, c.to, s.trial(s.Now())); err != nil {
			t.Error, t.ToDo = err.Error(), fault.HintOf(err)
		}
		trials = append(trials, t)
	}
	return trials
}
