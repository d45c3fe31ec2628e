
-- NUMBER(38, 255)
SELECT "番号" … WHERE "番号" > TO_NUMBER(?)

-- TimeStampDTY(0, 0)
SELECT TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9') … WHERE "更新 日時" > TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS.FF9')

-- DATE(0, 0)
SELECT TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS') … WHERE "D" > CAST(TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS.FF9') AS DATE)

-- TimeStampTZ_DTY(0, 0)
SELECT TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9') … WHERE "TZ" > FROM_TZ(TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS.FF9'), '+00:00')

-- TimeStampLTZ_DTY(0, 0)
SELECT TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9') … WHERE "LTZ" > FROM_TZ(TO_TIMESTAMP(?, 'YYYY-MM-DD HH24:MI:SS.FF9'), '+00:00')

-- NUMBER(10, 0)
SELECT "整数" … WHERE "整数" > TO_NUMBER(?)

-- NUMBER(12, 2)
SELECT "金額" … WHERE "金額" > TO_NUMBER(?)

-- NUMBER(38, 0)
SELECT "長い" … WHERE "長い" > TO_NUMBER(?)

-- IBFloat(0, 0)
SELECT "BF" … WHERE "BF" > ?

-- IBDouble(0, 0)
SELECT "BD" … WHERE "BD" > ?

-- NCHAR(0, 0)
SELECT "V" … WHERE "V" > ?

-- NCHAR(0, 0)
SELECT "空" … WHERE "空" > ?

-- CHAR(0, 0)
SELECT "C" … WHERE "C" > ?

-- OCIClobLocator(0, 0)
SELECT "本文" … WHERE "本文" > ?

-- RAW(0, 0)
SELECT RAWTOHEX("R") … WHERE "R" > HEXTORAW(?)

-- IntervalDS_DTY(0, 0)
SELECT TO_CHAR("I") … WHERE "I" > ?

-- session and survey
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL;
SELECT CASE WHEN owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN object_name ELSE owner || '.' || object_name END
		FROM all_objects WHERE object_type IN ('TABLE', 'VIEW') AND oracle_maintained = 'N';
SELECT CASE WHEN o.owner = SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') THEN o.object_name ELSE o.owner || '.' || o.object_name END AS "name",
			LOWER(o.object_type) AS "kind", NVL(t.num_rows, -1) AS "rows"
		FROM all_objects o LEFT JOIN all_tables t ON t.owner = o.owner AND t.table_name = o.object_name
		WHERE o.object_type IN ('TABLE', 'VIEW') AND o.oracle_maintained = 'N';
SELECT a, b FROM "日報" SAMPLE BLOCK (0.250000) SEED (1) FETCH FIRST 10 ROWS ONLY;
