ALTER TABLE `deliveries` ADD `set_aside_at` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `reference` text;--> statement-breakpoint
CREATE UNIQUE INDEX `runs_reference` ON `runs` (`benchmark`,`definition_sha256`,`reference`,`seed`) WHERE reference IS NOT NULL;--> statement-breakpoint
ALTER TABLE `submissions` ADD `withdrawn_at` integer;--> statement-breakpoint
ALTER TABLE `submissions` ADD `withdrawn_by` text;--> statement-breakpoint
ALTER TABLE `submissions` ADD `withdrawn_reason` text;--> statement-breakpoint
CREATE INDEX `job_inputs_input` ON `job_inputs` (`input_key`);--> statement-breakpoint
CREATE TRIGGER `board_changes_withdrawn` AFTER UPDATE OF `withdrawn_at` ON `submissions`
WHEN NEW.withdrawn_at IS NOT OLD.withdrawn_at AND NEW.visibility = 'public'
BEGIN
	INSERT INTO board_changes (definition_sha256, submission_id)
	SELECT DISTINCT r.definition_sha256, r.submission_id FROM runs r WHERE r.submission_id = NEW.id
	ON CONFLICT (definition_sha256, submission_id) DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
-- A private trial is counted beside what its author published of the method.
CREATE TRIGGER `board_changes_trial` AFTER INSERT ON `runs`
WHEN (SELECT visibility FROM submissions WHERE id = NEW.submission_id) = 'private'
BEGIN
	INSERT INTO board_changes (definition_sha256, submission_id)
	SELECT DISTINCT r.definition_sha256, r.submission_id
	FROM submissions trial JOIN submissions s ON s.author = trial.author AND s.method = trial.method AND s.visibility = 'public'
	JOIN runs r ON r.submission_id = s.id AND r.benchmark = NEW.benchmark
	WHERE trial.id = NEW.submission_id
	ON CONFLICT (definition_sha256, submission_id) DO UPDATE SET count = count + 1;
END;
