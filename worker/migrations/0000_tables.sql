CREATE TABLE `artifact_uses` (
	`job_key` text NOT NULL,
	`attempt` integer NOT NULL,
	`use` text NOT NULL,
	`sha256` text NOT NULL,
	PRIMARY KEY(`job_key`, `attempt`, `use`, `sha256`),
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `artifact_uses_sha256` ON `artifact_uses` (`sha256`);--> statement-breakpoint
CREATE INDEX `artifact_uses_use` ON `artifact_uses` (`use`);--> statement-breakpoint
CREATE TABLE `artifacts` (
	`sha256` text PRIMARY KEY NOT NULL,
	`bytes` integer NOT NULL,
	`path` text NOT NULL,
	`touched_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `artifacts_touched` ON `artifacts` (`touched_at`);--> statement-breakpoint
CREATE TABLE `assertions` (
	`runner_id` text NOT NULL,
	`jti` text NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`runner_id`, `jti`),
	FOREIGN KEY (`runner_id`) REFERENCES `runners`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`job_key` text NOT NULL,
	`attempt` integer NOT NULL,
	`token_sha256` text NOT NULL,
	`runner_id` text NOT NULL,
	`runner` text NOT NULL,
	`leased_at` integer NOT NULL,
	`ended_at` integer,
	`outcome` text DEFAULT 'running' NOT NULL,
	`reason` text,
	`message` text,
	`log_bytes` integer DEFAULT 0 NOT NULL,
	`log_sha256` text,
	`manifest` text,
	PRIMARY KEY(`job_key`, `attempt`),
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `deliveries_tokenSha256_unique` ON `deliveries` (`token_sha256`);--> statement-breakpoint
CREATE INDEX `deliveries_running` ON `deliveries` (`runner_id`) WHERE outcome = 'running';--> statement-breakpoint
CREATE TABLE `enrolments` (
	`id` text PRIMARY KEY NOT NULL,
	`secret_sha256` text NOT NULL,
	`labels` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`runner_id` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `enrolments_secretSha256_unique` ON `enrolments` (`secret_sha256`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`token_id` text NOT NULL,
	`key_sha256` text NOT NULL,
	`request_sha256` text NOT NULL,
	`created` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`token_id`, `key_sha256`)
);
--> statement-breakpoint
CREATE TABLE `job_inputs` (
	`job_key` text NOT NULL,
	`input_key` text NOT NULL,
	PRIMARY KEY(`job_key`, `input_key`),
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`input_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `jobs` (
	`key` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`spec` text NOT NULL,
	`state` text DEFAULT 'queued' NOT NULL,
	`requires` text,
	`likeness` text NOT NULL,
	`deliveries` integer DEFAULT 0 NOT NULL,
	`lost` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`token_sha256` text,
	`lease_expires_at` integer,
	`runner_id` text,
	`runner` text,
	`progress` text,
	`checkpoint` text,
	`log_length` integer DEFAULT 0 NOT NULL,
	`log_sequence` integer DEFAULT 0 NOT NULL,
	`reason` text,
	`message` text,
	`result` text,
	`seconds` text,
	`metrics` text,
	`device` text,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_tokenSha256_unique` ON `jobs` (`token_sha256`);--> statement-breakpoint
CREATE INDEX `jobs_failed` ON `jobs` (`finished_at`) WHERE state = 'failed';--> statement-breakpoint
CREATE INDEX `jobs_state` ON `jobs` (`state`);--> statement-breakpoint
CREATE INDEX `jobs_likeness` ON `jobs` (`likeness`,`finished_at`) WHERE state = 'done';--> statement-breakpoint
CREATE INDEX `jobs_lease` ON `jobs` (`lease_expires_at`) WHERE state = 'leased';--> statement-breakpoint
CREATE TABLE `late_results` (
	`job_key` text NOT NULL,
	`attempt` integer NOT NULL,
	`runner_id` text NOT NULL,
	`received_at` integer NOT NULL,
	`result` text NOT NULL,
	`manifest` text NOT NULL,
	PRIMARY KEY(`job_key`, `attempt`),
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `log_chunks` (
	`job_key` text NOT NULL,
	`attempt` integer NOT NULL,
	`offset` integer NOT NULL,
	`bytes` integer NOT NULL,
	`line` integer NOT NULL,
	`lines` integer NOT NULL,
	`sha256` text NOT NULL,
	`text` text,
	PRIMARY KEY(`job_key`, `attempt`, `offset`),
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `run_jobs` (
	`run_id` text NOT NULL,
	`job_key` text NOT NULL,
	`position` integer NOT NULL,
	PRIMARY KEY(`run_id`, `position`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`job_key`) REFERENCES `jobs`(`key`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `run_jobs_job` ON `run_jobs` (`job_key`);--> statement-breakpoint
CREATE TABLE `runners` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`public_key` text NOT NULL,
	`labels` text NOT NULL,
	`state` text DEFAULT 'active' NOT NULL,
	`enrolled_at` integer NOT NULL,
	`last_seen_at` integer,
	`probe` text
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY NOT NULL,
	`submission_id` text NOT NULL,
	`benchmark` text NOT NULL,
	`definition_sha256` text NOT NULL,
	`seed` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`part` integer NOT NULL,
	`cancelled_at` integer,
	`announced` text,
	FOREIGN KEY (`submission_id`) REFERENCES `submissions`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `runs_submission` ON `runs` (`submission_id`);--> statement-breakpoint
CREATE INDEX `runs_benchmark` ON `runs` (`benchmark`,`definition_sha256`);--> statement-breakpoint
CREATE TABLE `submissions` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`benchmark` text NOT NULL,
	`method` text NOT NULL,
	`method_version` integer NOT NULL,
	`params` text NOT NULL,
	`label` text NOT NULL,
	`author` text NOT NULL,
	`token_id` text NOT NULL,
	`visibility` text NOT NULL,
	`priority` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`announced_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `submissions_id_unique` ON `submissions` (`id`);--> statement-breakpoint
CREATE INDEX `submissions_benchmark` ON `submissions` (`benchmark`,`method`);--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`sha256` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_sha256_unique` ON `tokens` (`sha256`);--> statement-breakpoint
CREATE TABLE `upload_parts` (
	`upload_id` text NOT NULL,
	`number` integer NOT NULL,
	`sha256` text NOT NULL,
	`bytes` integer NOT NULL,
	`etag` text NOT NULL,
	PRIMARY KEY(`upload_id`, `number`)
);
--> statement-breakpoint
CREATE TABLE `uploads` (
	`sha256` text PRIMARY KEY NOT NULL,
	`bytes` integer NOT NULL,
	`path` text NOT NULL,
	`upload_id` text NOT NULL,
	`touched_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `webhook_attempts` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`message_id` text NOT NULL,
	`at` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`status` integer,
	`error` text,
	FOREIGN KEY (`message_id`) REFERENCES `webhook_messages`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `webhook_attempts_message` ON `webhook_attempts` (`message_id`);--> statement-breakpoint
CREATE TABLE `webhook_messages` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`webhook_id` text NOT NULL,
	`type` text NOT NULL,
	`payload` text NOT NULL,
	`created_at` integer NOT NULL,
	`state` text NOT NULL,
	`tries` integer NOT NULL,
	`next_at` integer,
	FOREIGN KEY (`webhook_id`) REFERENCES `webhooks`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_messages_id_unique` ON `webhook_messages` (`id`);--> statement-breakpoint
CREATE INDEX `webhook_messages_due` ON `webhook_messages` (`next_at`);--> statement-breakpoint
CREATE INDEX `webhook_messages_webhook` ON `webhook_messages` (`webhook_id`);--> statement-breakpoint
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`token_id` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`created_at` integer NOT NULL,
	`failing_since` integer,
	`disabled_at` integer,
	`disabled_reason` text
);
--> statement-breakpoint
CREATE INDEX `webhooks_token` ON `webhooks` (`token_id`);