
-- a table
SELECT c.name AS name, CASE WHEN c.is_nullable = 0 THEN 1 ELSE 0 END AS not_null, COALESCE(k.key_ordinal, 0) AS key_position
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id JOIN sys.columns c ON c.object_id = o.object_id
		LEFT JOIN sys.indexes i ON i.object_id = o.object_id AND i.is_primary_key = 1
		LEFT JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.column_id = c.column_id
		WHERE s.name = COALESCE(NULLIF(@p1, N''), SCHEMA_NAME()) AND o.name = @p2 AND o.type IN ('U', 'V')
		ORDER BY c.column_id;
--   1: string dbo
--   2: string 日報
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], [g], [x], [rv], [vb], [geo] FROM [dbo].[日報] WHERE 1 = 0;
SELECT i.name AS index_name, c.name AS column_name
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
		JOIN sys.indexes i ON i.object_id = o.object_id AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
		JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.is_included_column = 0
		JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
		WHERE s.name = COALESCE(NULLIF(@p1, N''), SCHEMA_NAME()) AND o.name = @p2 AND o.type IN ('U', 'V');
--   1: string dbo
--   2: string 日報
SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121);
SELECT count(*) FROM [dbo].[日報] WHERE [更新 日時] > CONVERT(datetime2(7), @p1, 121);
--   1: string 2026-11-22 15:05:00.123456

-- its first page
SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121);
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], CONVERT(char(36), [g]), [x], CASE WHEN CAST([旗] AS int) <> 0 THEN 1 ELSE 0 END FROM [dbo].[日報] WHERE [更新 日時] < CONVERT(datetime2(7), @p1, 121) ORDER BY [更新 日時], [番号] OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456

-- the page behind that row
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], CONVERT(char(36), [g]), [x], CASE WHEN CAST([旗] AS int) <> 0 THEN 1 ELSE 0 END FROM [dbo].[日報] WHERE [更新 日時] < CONVERT(datetime2(7), @p1, 121) AND [更新 日時] >= CONVERT(datetime2(7), @p2, 121) AND ([更新 日時] > CONVERT(datetime2(7), @p3, 121) OR ([更新 日時] = CONVERT(datetime2(7), @p4, 121) AND [番号] > @p5)) ORDER BY [更新 日時], [番号] OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456
--   2: string 2026-11-20 10:00:00.1234567
--   3: string 2026-11-20 10:00:00.1234567
--   4: string 2026-11-20 10:00:00.1234567
--   5: int64 9007199254740993

-- no more of them: the rows without a change time
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], CONVERT(char(36), [g]), [x], CASE WHEN CAST([旗] AS int) <> 0 THEN 1 ELSE 0 END FROM [dbo].[日報] WHERE [更新 日時] < CONVERT(datetime2(7), @p1, 121) AND [更新 日時] >= CONVERT(datetime2(7), @p2, 121) AND ([更新 日時] > CONVERT(datetime2(7), @p3, 121) OR ([更新 日時] = CONVERT(datetime2(7), @p4, 121) AND [番号] > @p5)) ORDER BY [更新 日時], [番号] OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456
--   2: string 2026-11-20 10:00:00.1234567
--   3: string 2026-11-20 10:00:00.1234567
--   4: string 2026-11-20 10:00:00.1234567
--   5: int64 9007199254740993
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], CONVERT(char(36), [g]), [x], CASE WHEN CAST([旗] AS int) <> 0 THEN 1 ELSE 0 END FROM [dbo].[日報] WHERE [更新 日時] IS NULL ORDER BY [番号] OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;

-- the next window
SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121);
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], CONVERT(char(36), [g]), [x], CASE WHEN CAST([旗] AS int) <> 0 THEN 1 ELSE 0 END FROM [dbo].[日報] WHERE [更新 日時] < CONVERT(datetime2(7), @p1, 121) AND [更新 日時] >= CONVERT(datetime2(7), @p2, 121) ORDER BY [更新 日時], [番号] OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;
--   1: string 2026-11-22 14:59:59.123456
--   2: string 2026-11-22 14:49:59.123456
SELECT [番号], [更新 日時], [dt], [sdt], [dto], [d], [t], [金額], [m], [f], [r], [旗], [v], [n]]v], CONVERT(char(36), [g]), [x], CASE WHEN CAST([旗] AS int) <> 0 THEN 1 ELSE 0 END FROM [dbo].[日報] WHERE [更新 日時] IS NULL ORDER BY [番号] OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY;
