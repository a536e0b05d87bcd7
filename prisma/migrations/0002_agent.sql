ALTER TABLE "Task" ADD COLUMN "leaseUntil" TEXT;
ALTER TABLE "Task" ADD COLUMN "interactive" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "Task" ADD COLUMN "waitingForInput" TEXT;
ALTER TABLE "Task" ADD COLUMN "autoFixOf" TEXT;
ALTER TABLE "Task" ADD COLUMN "autoFixChain" TEXT NOT NULL DEFAULT '[]';
ALTER TABLE "Task" ADD COLUMN "steps" TEXT NOT NULL DEFAULT '[]';
ALTER TABLE "Task" ADD COLUMN "metrics" TEXT NOT NULL DEFAULT '[]';
DROP INDEX "Task_sessionId_status_idx";
CREATE INDEX "Task_sessionId_status_priority_createdAt_idx" ON "Task" ("sessionId", "status", "priority" DESC, "createdAt");
CREATE INDEX "Task_status_leaseUntil_idx" ON "Task" ("status", "leaseUntil");
CREATE INDEX "Task_autoFixOf_idx" ON "Task" ("autoFixOf");

CREATE TABLE "TaskInput" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "taskId" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "eof" BOOLEAN NOT NULL,
  "secret" BOOLEAN NOT NULL,
  "by" TEXT NOT NULL,
  "createdAt" TEXT NOT NULL
);
CREATE INDEX "TaskInput_taskId_idx" ON "TaskInput" ("taskId");

CREATE TABLE "Artifact" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "taskId" TEXT NOT NULL,
  "path" TEXT NOT NULL,
  "size" REAL NOT NULL,
  "contentType" TEXT NOT NULL,
  "sha256" TEXT,
  "description" TEXT,
  "metadata" TEXT NOT NULL,
  "complete" BOOLEAN NOT NULL,
  "preview" TEXT,
  "createdAt" TEXT NOT NULL
);
CREATE INDEX "Artifact_taskId_path_idx" ON "Artifact" ("taskId", "path");
