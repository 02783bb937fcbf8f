ALTER TABLE `jobs` ADD `anew_after` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `runners` ADD `stages_at_once` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `runners` ADD `pause_reason` text;--> statement-breakpoint
ALTER TABLE `runners` ADD `trusted_since` integer;--> statement-breakpoint
CREATE INDEX `deliveries_ended` ON `deliveries` (`runner_id`,`outcome`,`ended_at`);