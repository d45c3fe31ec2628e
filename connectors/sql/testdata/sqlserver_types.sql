
-- BIGINT(0, 0)
SELECT [番号] FROM t WHERE [番号] > @p1;

-- DATETIME2(0, 0)
SELECT [更新 日時] FROM t WHERE [更新 日時] > CONVERT(datetime2(7), @p1, 121);

-- DATETIME(0, 0)
SELECT [dt] FROM t WHERE [dt] > CONVERT(datetime, CONVERT(datetime2(3), @p1, 121));

-- SMALLDATETIME(0, 0)
SELECT [sdt] FROM t WHERE [sdt] > CONVERT(datetime, CONVERT(datetime2(3), @p1, 121));

-- DATETIMEOFFSET(0, 0)
SELECT [dto] FROM t WHERE [dto] > TODATETIMEOFFSET(CONVERT(datetime2(7), @p1, 121), 0);

-- DATE(0, 0)
SELECT [d] FROM t WHERE [d] > CONVERT(date, CONVERT(datetime2(7), @p1, 121));

-- TIME(0, 0)
SELECT [t] FROM t WHERE [t] > CONVERT(time(7), CONVERT(datetime2(7), @p1, 121));

-- DECIMAL(12, 2)
SELECT [金額] FROM t WHERE [金額] > CAST(@p1 AS decimal(12, 2));

-- MONEY(0, 0)
SELECT [m] FROM t WHERE [m] > CAST(@p1 AS money);

-- FLOAT(0, 0)
SELECT [f] FROM t WHERE [f] > @p1;

-- REAL(0, 0)
SELECT [r] FROM t WHERE [r] > @p1;

-- BIT(0, 0)
SELECT [旗] FROM t WHERE [旗] > @p1;

-- VARCHAR(0, 0)
SELECT [v] FROM t WHERE [v] > CAST(@p1 AS varchar(8000));

-- NVARCHAR(0, 0)
SELECT [n]]v] FROM t WHERE [n]]v] > @p1;

-- UNIQUEIDENTIFIER(0, 0)
SELECT CONVERT(char(36), [g]) FROM t WHERE [g] > CAST(@p1 AS uniqueidentifier);

-- XML(0, 0)
SELECT [x] FROM t WHERE [x] > @p1;

-- session
SET DEADLOCK_PRIORITY LOW; SET LOCK_TIMEOUT 300000;
SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121);

-- survey
SELECT CASE WHEN s.name = SCHEMA_NAME() THEN o.name ELSE s.name + N'.' + o.name END
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V');
SELECT CASE WHEN s.name = SCHEMA_NAME() THEN o.name ELSE s.name + N'.' + o.name END AS name,
			CASE o.type WHEN 'V' THEN 'view' ELSE 'table' END AS kind,
			COALESCE((SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)), -1) AS [rows]
		FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V');
SELECT TOP (10) a, b FROM [日報] TABLESAMPLE SYSTEM (0.25 PERCENT) REPEATABLE (1);
SELECT TOP (10) a, b FROM [日報];
SELECT TOP (10) a, b FROM [日報] WHERE [番号] >= 1 AND [番号] < 100 ORDER BY [番号];
SELECT TOP (10) a, b FROM [日報] ORDER BY [番号] DESC;
SELECT min([番号]) FROM [日報];
