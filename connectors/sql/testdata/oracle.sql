
-- a table
SELECT c.column_name AS "name", CASE c.nullable WHEN 'N' THEN 1 ELSE 0 END AS "not_null", NVL(k.position, 0) AS "key_position"
		FROM all_tab_columns c
		LEFT JOIN all_constraints p ON p.owner = c.owner AND p.table_name = c.table_name AND p.constraint_type = 'P'
		LEFT JOIN all_cons_columns k ON k.owner = p.owner AND k.constraint_name = p.constraint_name AND k.column_name = c.column_name
		WHERE c.owner = NVL(:1, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND c.table_name = :2
		ORDER BY c.column_id;
--   1: string SALES
--   2: string 日報
SELECT "番号", "更新 日時", "D", "TZ", "LTZ", "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", "R", "I", "写真" FROM "SALES"."日報" WHERE 1 = 0;
SELECT i.owner || '.' || i.index_name AS "index_name", k.column_name AS "column_name"
		FROM all_indexes i JOIN all_ind_columns k ON k.index_owner = i.owner AND k.index_name = i.index_name
		WHERE i.uniqueness = 'UNIQUE' AND i.table_owner = NVL(:1, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND i.table_name = :2;
--   1: string SALES
--   2: string 日報
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL;
SELECT count(*) FROM "SALES"."日報" WHERE "更新 日時" > TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9');
--   1: string 2026-11-22 15:05:00.123456

-- its first page
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL;
SELECT "番号", TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", RAWTOHEX("R"), TO_CHAR("I"), CASE WHEN "整数" <> 0 THEN 1 ELSE 0 END FROM "SALES"."日報" WHERE "更新 日時" < TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9') ORDER BY "更新 日時", "番号" OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456

-- the page behind that row
SELECT "番号", TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", RAWTOHEX("R"), TO_CHAR("I"), CASE WHEN "整数" <> 0 THEN 1 ELSE 0 END FROM "SALES"."日報" WHERE "更新 日時" < TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9') AND "更新 日時" >= TO_TIMESTAMP(:2, 'YYYY-MM-DD HH24:MI:SS.FF9') AND ("更新 日時" > TO_TIMESTAMP(:3, 'YYYY-MM-DD HH24:MI:SS.FF9') OR ("更新 日時" = TO_TIMESTAMP(:4, 'YYYY-MM-DD HH24:MI:SS.FF9') AND "番号" > TO_NUMBER(:5))) ORDER BY "更新 日時", "番号" OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456
--   2: string 2026-11-20 10:00:00.123456789
--   3: string 2026-11-20 10:00:00.123456789
--   4: string 2026-11-20 10:00:00.123456789
--   5: string 9007199254740993

-- no more of them: the rows without a change time
SELECT "番号", TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", RAWTOHEX("R"), TO_CHAR("I"), CASE WHEN "整数" <> 0 THEN 1 ELSE 0 END FROM "SALES"."日報" WHERE "更新 日時" < TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9') AND "更新 日時" >= TO_TIMESTAMP(:2, 'YYYY-MM-DD HH24:MI:SS.FF9') AND ("更新 日時" > TO_TIMESTAMP(:3, 'YYYY-MM-DD HH24:MI:SS.FF9') OR ("更新 日時" = TO_TIMESTAMP(:4, 'YYYY-MM-DD HH24:MI:SS.FF9') AND "番号" > TO_NUMBER(:5))) ORDER BY "更新 日時", "番号" OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456
--   2: string 2026-11-20 10:00:00.123456789
--   3: string 2026-11-20 10:00:00.123456789
--   4: string 2026-11-20 10:00:00.123456789
--   5: string 9007199254740993
SELECT "番号", TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", RAWTOHEX("R"), TO_CHAR("I"), CASE WHEN "整数" <> 0 THEN 1 ELSE 0 END FROM "SALES"."日報" WHERE "更新 日時" IS NULL ORDER BY "番号" OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;

-- the next window
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') FROM DUAL;
SELECT "番号", TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", RAWTOHEX("R"), TO_CHAR("I"), CASE WHEN "整数" <> 0 THEN 1 ELSE 0 END FROM "SALES"."日報" WHERE "更新 日時" < TO_TIMESTAMP(:1, 'YYYY-MM-DD HH24:MI:SS.FF9') AND "更新 日時" >= TO_TIMESTAMP(:2, 'YYYY-MM-DD HH24:MI:SS.FF9') ORDER BY "更新 日時", "番号" OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456
--   2: string 2026-11-22 14:49:59.123456
SELECT "番号", TO_CHAR("更新 日時", 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR("D", 'YYYY-MM-DD HH24:MI:SS'), TO_CHAR(SYS_EXTRACT_UTC("TZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), TO_CHAR(SYS_EXTRACT_UTC("LTZ"), 'YYYY-MM-DD HH24:MI:SS.FF9'), "整数", "金額", "長い", "BF", "BD", "V", "空", "C", "本文", RAWTOHEX("R"), TO_CHAR("I"), CASE WHEN "整数" <> 0 THEN 1 ELSE 0 END FROM "SALES"."日報" WHERE "更新 日時" IS NULL ORDER BY "番号" OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;
