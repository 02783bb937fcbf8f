CREATE TABLE `scores` (
	`job_key` text NOT NULL,
	`metric` text NOT NULL,
	`identity` text NOT NULL,
	`value` real NOT NULL,
	`by` text NOT NULL,
	`version` text NOT NULL,
	`computed_at` integer NOT NULL,
	PRIMARY KEY(`job_key`, `identity`, `computed_at`),
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
INSERT OR IGNORE INTO `scores` (`job_key`, `metric`, `identity`, `value`, `by`, `version`, `computed_at`)
SELECT j.key, m.key, m.value ->> 'identity', m.value ->> 'value', j.runner_id,
	COALESCE(j.result ->> '$.versions.palimpsest', ''), j.finished_at
FROM jobs j, json_each(j.metrics) m WHERE j.state = 'done' AND j.metrics IS NOT NULL;
--> statement-breakpoint
ALTER TABLE `jobs` DROP COLUMN `metrics`;
--> statement-breakpoint
-- Kinds of stages as they are named now; specs stay as they were signed.
UPDATE `jobs` SET `kind` = CASE `kind` WHEN 'judge' THEN 'train' ELSE 'evaluate' END
WHERE `kind` IN ('judge', 'evaluate-samples');
--> statement-breakpoint
-- No runner reads a spec without a task: runs that wait for one are cancelled, and queued jobs with them. Leased jobs may end.
UPDATE `runs` SET `cancelled_at` = unixepoch() * 1000 WHERE `cancelled_at` IS NULL AND EXISTS (
	SELECT 1 FROM run_jobs n JOIN jobs j ON j.key = n.job_key
	WHERE n.run_id = runs.id AND j.state IN ('queued', 'leased') AND j.spec ->> 'task' IS NULL);
--> statement-breakpoint
UPDATE `jobs` SET `state` = 'cancelled' WHERE `state` = 'queued' AND `spec` ->> 'task' IS NULL;
