CREATE TABLE "Session" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "status" TEXT NOT NULL,
  "workspaceId" TEXT,
  "template" TEXT,
  "tags" TEXT NOT NULL,
  "createdAt" TEXT NOT NULL,
  "updatedAt" TEXT NOT NULL
);
CREATE INDEX "Session_createdAt_id_idx" ON "Session" ("createdAt" DESC, "id");

CREATE TABLE "Task" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "sessionId" TEXT,
  "name" TEXT NOT NULL,
  "script" TEXT,
  "env" TEXT,
  "priority" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "progress" REAL NOT NULL,
  "progressMessage" TEXT,
  "message" TEXT,
  "errorCode" TEXT,
  "exitCode" INTEGER,
  "signal" TEXT,
  "agentId" TEXT,
  "attempt" INTEGER NOT NULL,
  "maxAttempts" INTEGER NOT NULL,
  "timeoutSeconds" REAL,
  "createdAt" TEXT NOT NULL,
  "updatedAt" TEXT NOT NULL,
  "startedAt" TEXT,
  "finishedAt" TEXT,
  "durationMs" REAL,
  "resources" TEXT,
  "statusHistory" TEXT NOT NULL
);
CREATE INDEX "Task_createdAt_id_idx" ON "Task" ("createdAt" DESC, "id");
CREATE INDEX "Task_sessionId_status_idx" ON "Task" ("sessionId", "status");
CREATE INDEX "Task_status_createdAt_idx" ON "Task" ("status", "createdAt");

CREATE TABLE "ApiKey" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT NOT NULL,
  "role" TEXT NOT NULL,
  "sessionIds" TEXT,
  "hash" TEXT NOT NULL,
  "createdAt" TEXT NOT NULL,
  "lastUsedAt" TEXT,
  "expiresAt" TEXT,
  "revokedAt" TEXT
);
CREATE INDEX "ApiKey_hash_idx" ON "ApiKey" ("hash");
