
-- a query
SELECT * FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE 1 = 0;
SELECT [CODE], [BRANCH], [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE 1 = 0;
SELECT TOP (1) 1 FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE [CODE] IS NOT NULL AND [BRANCH] IS NOT NULL GROUP BY [CODE], [BRANCH] HAVING count(*) > 1;

-- pages of one row
SELECT max([VER]) FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q;
SELECT [CODE], CONVERT(char(36), [BRANCH]), [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE [CODE] IS NOT NULL AND [BRANCH] IS NOT NULL AND [VER] < @p1 ORDER BY [VER], [CODE], [BRANCH] OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: int64 43
SELECT [CODE], CONVERT(char(36), [BRANCH]), [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE [CODE] IS NOT NULL AND [BRANCH] IS NOT NULL AND [VER] < @p1 AND [VER] >= @p2 AND ([VER] > @p3 OR ([VER] = @p4 AND ([CODE] > CAST(@p5 AS varchar(8000)) OR ([CODE] = CAST(@p6 AS varchar(8000)) AND [BRANCH] > CAST(@p7 AS uniqueidentifier))))) ORDER BY [VER], [CODE], [BRANCH] OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: int64 43
--   2: int64 42
--   3: int64 42
--   4: int64 42
--   5: string A-1
--   6: string A-1
--   7: string 6F

-- rows without a key: the first two, and the rest
SELECT [CODE], CONVERT(char(36), [BRANCH]), [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE [CODE] IS NOT NULL AND [BRANCH] IS NOT NULL AND [VER] < @p1 AND [VER] >= @p2 AND ([VER] > @p3 OR ([VER] = @p4 AND ([CODE] > CAST(@p5 AS varchar(8000)) OR ([CODE] = CAST(@p6 AS varchar(8000)) AND [BRANCH] > CAST(@p7 AS uniqueidentifier))))) ORDER BY [VER], [CODE], [BRANCH] OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY;
--   1: int64 43
--   2: int64 42
--   3: int64 42
--   4: int64 42
--   5: string A-1
--   6: string A-1
--   7: string 6F
SELECT [CODE], CONVERT(char(36), [BRANCH]), [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE [CODE] IS NOT NULL AND [BRANCH] IS NOT NULL AND [VER] IS NULL ORDER BY [CODE], [BRANCH] OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY;
SELECT [CODE], CONVERT(char(36), [BRANCH]), [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE ([CODE] IS NULL OR [BRANCH] IS NULL) ORDER BY [CODE], [BRANCH] OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY;
SELECT [CODE], CONVERT(char(36), [BRANCH]), [VER] FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE ([CODE] IS NULL OR [BRANCH] IS NULL) ORDER BY [CODE], [BRANCH] OFFSET 2 ROWS FETCH NEXT 2 ROWS ONLY;
