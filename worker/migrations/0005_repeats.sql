CREATE TABLE `repeats` (
	`job_key` text PRIMARY KEY NOT NULL,
	`of_key` text NOT NULL,
	`chosen_at` integer NOT NULL,
	`verdict` text,
	`detail` text,
	`ended_at` integer,
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`of_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `repeats_of` ON `repeats` (`of_key`);