CREATE TABLE `own_benchmarks` (
	`slug` text PRIMARY KEY NOT NULL,
	`definition` text NOT NULL,
	`author` text NOT NULL,
	`token_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`replaces` text,
	`retired_at` integer,
	`retired_by` text,
	`retired_reason` text,
	`change` integer NOT NULL,
	`mark` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `own_benchmarks_replaces_unique` ON `own_benchmarks` (`replaces`);--> statement-breakpoint
CREATE UNIQUE INDEX `own_benchmarks_change_unique` ON `own_benchmarks` (`change`);