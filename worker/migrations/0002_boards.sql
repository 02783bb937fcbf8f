CREATE TABLE `board_changes` (
	`definition_sha256` text NOT NULL,
	`submission_id` text NOT NULL,
	`count` integer DEFAULT 1 NOT NULL,
	PRIMARY KEY(`definition_sha256`, `submission_id`)
);
--> statement-breakpoint
CREATE TABLE `boards` (
	`part` text NOT NULL,
	`slug` text NOT NULL,
	`piece` integer NOT NULL,
	`version` text NOT NULL,
	`json` text NOT NULL,
	PRIMARY KEY(`part`, `slug`, `piece`)
);
--> statement-breakpoint
CREATE INDEX `boards_slug` ON `boards` (`slug`);--> statement-breakpoint
DROP INDEX `runs_submission`;--> statement-breakpoint
CREATE INDEX `runs_submission` ON `runs` (`submission_id`,`definition_sha256`,`seed`);--> statement-breakpoint
ALTER TABLE `deliveries` ADD `checkpoint` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `engine` text DEFAULT 'palimpsest@2' NOT NULL;--> statement-breakpoint
ALTER TABLE `runners` ADD `engines` text;--> statement-breakpoint
CREATE TRIGGER `board_changes_run` AFTER INSERT ON `runs`
WHEN (SELECT visibility FROM submissions WHERE id = NEW.submission_id) = 'public'
BEGIN
	INSERT INTO board_changes (definition_sha256, submission_id) VALUES (NEW.definition_sha256, NEW.submission_id)
	ON CONFLICT (definition_sha256, submission_id) DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `board_changes_cancelled` AFTER UPDATE OF `cancelled_at` ON `runs`
WHEN NEW.cancelled_at IS NOT OLD.cancelled_at AND (SELECT visibility FROM submissions WHERE id = NEW.submission_id) = 'public'
BEGIN
	INSERT INTO board_changes (definition_sha256, submission_id) VALUES (NEW.definition_sha256, NEW.submission_id)
	ON CONFLICT (definition_sha256, submission_id) DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `board_changes_job` AFTER UPDATE OF `state` ON `jobs` WHEN NEW.state <> OLD.state
BEGIN
	INSERT INTO board_changes (definition_sha256, submission_id)
	SELECT DISTINCT r.definition_sha256, r.submission_id
	FROM run_jobs n JOIN runs r ON r.id = n.run_id JOIN submissions s ON s.id = r.submission_id
	WHERE n.job_key = NEW.key AND s.visibility = 'public'
	ON CONFLICT (definition_sha256, submission_id) DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `board_changes_score` AFTER INSERT ON `scores`
BEGIN
	INSERT INTO board_changes (definition_sha256, submission_id)
	SELECT DISTINCT r.definition_sha256, r.submission_id
	FROM run_jobs n JOIN runs r ON r.id = n.run_id JOIN submissions s ON s.id = r.submission_id
	WHERE n.job_key = NEW.job_key AND s.visibility = 'public'
	ON CONFLICT (definition_sha256, submission_id) DO UPDATE SET count = count + 1;
END;
