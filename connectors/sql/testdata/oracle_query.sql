
-- a query
SELECT * FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE 1 = 0;
SELECT "CODE", "BRANCH", "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE 1 = 0;
SELECT 1 FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE "CODE" IS NOT NULL AND "BRANCH" IS NOT NULL GROUP BY "CODE", "BRANCH" HAVING count(*) > 1 FETCH FIRST 1 ROWS ONLY;

-- pages of one row
SELECT max("VER") FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q;
SELECT "CODE", RAWTOHEX("BRANCH"), "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE "CODE" IS NOT NULL AND "BRANCH" IS NOT NULL AND "VER" < TO_NUMBER(:1) ORDER BY "VER", "CODE", "BRANCH" OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: int64 43
SELECT "CODE", RAWTOHEX("BRANCH"), "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE "CODE" IS NOT NULL AND "BRANCH" IS NOT NULL AND "VER" < TO_NUMBER(:1) AND "VER" >= TO_NUMBER(:2) AND ("VER" > TO_NUMBER(:3) OR ("VER" = TO_NUMBER(:4) AND ("CODE" > :5 OR ("CODE" = :6 AND "BRANCH" > HEXTORAW(:7))))) ORDER BY "VER", "CODE", "BRANCH" OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY;
--   1: int64 43
--   2: string 42
--   3: string 42
--   4: string 42
--   5: string A-1
--   6: string A-1
--   7: string 6F

-- rows without a key: the first two, and the rest
SELECT "CODE", RAWTOHEX("BRANCH"), "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE "CODE" IS NOT NULL AND "BRANCH" IS NOT NULL AND "VER" < TO_NUMBER(:1) AND "VER" >= TO_NUMBER(:2) AND ("VER" > TO_NUMBER(:3) OR ("VER" = TO_NUMBER(:4) AND ("CODE" > :5 OR ("CODE" = :6 AND "BRANCH" > HEXTORAW(:7))))) ORDER BY "VER", "CODE", "BRANCH" OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY;
--   1: int64 43
--   2: string 42
--   3: string 42
--   4: string 42
--   5: string A-1
--   6: string A-1
--   7: string 6F
SELECT "CODE", RAWTOHEX("BRANCH"), "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE "CODE" IS NOT NULL AND "BRANCH" IS NOT NULL AND "VER" IS NULL ORDER BY "CODE", "BRANCH" OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY;
SELECT "CODE", RAWTOHEX("BRANCH"), "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE ("CODE" IS NULL OR "BRANCH" IS NULL) ORDER BY "CODE", "BRANCH" OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY;
SELECT "CODE", RAWTOHEX("BRANCH"), "VER" FROM (SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?
) q WHERE ("CODE" IS NULL OR "BRANCH" IS NULL) ORDER BY "CODE", "BRANCH" OFFSET 2 ROWS FETCH NEXT 2 ROWS ONLY;
