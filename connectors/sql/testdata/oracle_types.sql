
-- NUMBER(38, 255)
SELECT "番号" FROM t WHERE "番号" > TO_NUMBER(:1);

-- TimeStampDTY(0, 0)
SELECT TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9') FROM t WHERE "更新 日時" > TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9');

-- DATE(0, 0)
SELECT TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS') FROM t WHERE "D" > CAST(TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9') AS DATE);

-- TimeStampTZ_DTY(0, 0)
SELECT TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9') FROM t WHERE "TZ" > FROM_TZ(TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9'), '+00:00');

-- TimeStampLTZ_DTY(0, 0)
SELECT TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9') FROM t WHERE "LTZ" > FROM_TZ(TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9'), '+00:00');

-- NUMBER(10, 0)
SELECT "整数" FROM t WHERE "整数" > TO_NUMBER(:1);

-- NUMBER(12, 2)
SELECT "金額" FROM t WHERE "金額" > TO_NUMBER(:1);

-- NUMBER(38, 0)
SELECT "長い" FROM t WHERE "長い" > TO_NUMBER(:1);

-- IBFloat(0, 0)
SELECT "BF" FROM t WHERE "BF" > :1;

-- IBDouble(0, 0)
SELECT "BD" FROM t WHERE "BD" > :1;

-- NCHAR(0, 0)
SELECT "V" FROM t WHERE "V" > :1;

-- NCHAR(0, 0)
SELECT "空" FROM t WHERE "空" > :1;

-- CHAR(0, 0)
SELECT "C" FROM t WHERE "C" > :1;

-- OCIClobLocator(0, 0)
SELECT "本文" FROM t WHERE "本文" > :1;

-- RAW(0, 0)
SELECT RAWTOHEX("R") FROM t WHERE "R" > HEXTORAW(:1);

-- IntervalDS_DTY(0, 0)
SELECT TO_CHAR("I") FROM t WHERE "I" > :1;

-- session
ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY NLS_NUMERIC_CHARACTERS = '.,' TIME_ZONE = '+00:00';
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL;

-- survey
SELECT CASE WHEN owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN object_name ELSE owner || '.' || object_name END
		FROM all_objects WHERE object_type IN ('TABLE', 'VIEW') AND oracle_maintained = 'N';
SELECT CASE WHEN o.owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN o.object_name ELSE o.owner || '.' || o.object_name END AS "name",
			LOWER(o.object_type) AS "kind", NVL(t.num_rows, -1) AS "rows"
		FROM all_objects o LEFT JOIN all_tables t ON t.owner = o.owner AND t.table_name = o.object_name
		WHERE o.object_type IN ('TABLE', 'VIEW') AND o.oracle_maintained = 'N';
SELECT a, b FROM "日報" SAMPLE BLOCK (0.250000) SEED (1) FETCH FIRST 10 ROWS ONLY;
SELECT a, b FROM "日報" FETCH FIRST 10 ROWS ONLY;
SELECT a, b FROM "日報" WHERE "番号" >= 1 AND "番号" < 100 ORDER BY "番号" FETCH FIRST 10 ROWS ONLY;
SELECT a, b FROM "日報" ORDER BY "番号" DESC FETCH FIRST 10 ROWS ONLY;
SELECT min("番号") FROM "日報";
