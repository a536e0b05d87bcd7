CREATE INDEX "Task_agentId_status_idx" ON "Task" ("agentId", "status");
