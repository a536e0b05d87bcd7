CREATE INDEX "Task_agentId_status_idx" ON "Task" ("agentId", "status");
DROP INDEX "Task_sessionId_status_priority_createdAt_idx";
CREATE INDEX "Task_sessionId_status_priority_createdAt_id_idx" ON "Task" ("sessionId", "status", "priority" DESC, "createdAt", "id");
