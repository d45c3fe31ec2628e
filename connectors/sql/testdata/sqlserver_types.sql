
-- BIGINT(0, 0)
SELECT [番号] … WHERE [番号] > ?

-- DATETIME2(0, 0)
SELECT [更新 日時] … WHERE [更新 日時] > CONVERT(datetime2(7), ?, 121)

-- DATETIME(0, 0)
SELECT [dt] … WHERE [dt] > CONVERT(datetime, CONVERT(datetime2(3), ?, 121))

-- SMALLDATETIME(0, 0)
SELECT [sdt] … WHERE [sdt] > CONVERT(datetime, CONVERT(datetime2(3), ?, 121))

-- DATETIMEOFFSET(0, 0)
SELECT [dto] … WHERE [dto] > TODATETIMEOFFSET(CONVERT(datetime2(7), ?, 121), 0)

-- DATE(0, 0)
SELECT [d] … WHERE [d] > CONVERT(date, CONVERT(datetime2(7), ?, 121))

-- TIME(0, 0)
SELECT [t] … WHERE [t] > CONVERT(time(7), CONVERT(datetime2(7), ?, 121))

-- DECIMAL(12, 2)
SELECT [金額] … WHERE [金額] > CAST(? AS decimal(12, 2))

-- MONEY(0, 0)
SELECT [m] … WHERE [m] > CAST(? AS money)

-- FLOAT(0, 0)
SELECT [f] … WHERE [f] > ?

-- REAL(0, 0)
SELECT [r] … WHERE [r] > ?

-- BIT(0, 0)
SELECT [旗] … WHERE [旗] > ?

-- VARCHAR(0, 0)
SELECT [v] … WHERE [v] > CAST(? AS varchar(8000))

-- NVARCHAR(0, 0)
SELECT [n]]v] … WHERE [n]]v] > ?

-- UNIQUEIDENTIFIER(0, 0)
SELECT CONVERT(char(36), [g]) … WHERE [g] > CAST(? AS uniqueidentifier)

-- XML(0, 0)
SELECT [x] … WHERE [x] > ?

-- session and survey
SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121);
SELECT CASE WHEN s.name = SCHEMA_NAME() THEN o.name ELSE s.name + N'.' + o.name END
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V');
SELECT CASE WHEN s.name = SCHEMA_NAME() THEN o.name ELSE s.name + N'.' + o.name END AS name,
			CASE o.type WHEN 'V' THEN 'view' ELSE 'table' END AS kind,
			COALESCE((SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)), -1) AS [rows]
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V');
SELECT TOP (10) a, b FROM [日報] TABLESAMPLE SYSTEM (0.25 PERCENT) REPEATABLE (1);
