-- The read side: one row of progress, the read models, and what could not be projected.
--
-- The read models' tables are the declarations of gx.projection.read_models, written down; a test
-- compares the two. Text keys sort by bytes (COLLATE "C"): that is the order of the digest and of
-- the cursors. Amounts are base units, points in time are seconds since the epoch as the ledger
-- tells them. fillfactor below 100 where rows are updated: the next version of a row then fits on
-- its page and touches no index.

-- ---------------------------------------------------------------- progress

CREATE TABLE projection_checkpoints (
    channel            text PRIMARY KEY,
    block_number       bigint NOT NULL,
    block_timestamp_ms bigint NOT NULL,
    genesis_hash       text NOT NULL,
    epoch              bigint NOT NULL,
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 10);

-- ---------------------------------------------------------------- what could not be projected

-- At most one row a channel: the event at which the projection stands still.
CREATE TABLE projection_stops (
    channel      text PRIMARY KEY,
    block_number bigint NOT NULL,
    position     integer NOT NULL,
    event_type   text NOT NULL,
    event        text NOT NULL,
    error        text NOT NULL,
    stopped_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Events that an operator set aside for good. `event` is the JSON that the ledger holds, as text:
-- jsonb would refuse some of what could not be projected.
CREATE TABLE parked_events (
    channel      text NOT NULL,
    block_number bigint NOT NULL,
    position     integer NOT NULL,
    event_type   text NOT NULL,
    event        text NOT NULL,
    reason       text NOT NULL CONSTRAINT parked_events_reason_check CHECK (reason <> ''),
    actor        text NOT NULL CONSTRAINT parked_events_actor_check CHECK (actor <> ''),
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, block_number, position)
);

-- ---------------------------------------------------------------- read models

CREATE TABLE system_status (
    singleton boolean NOT NULL,
    is_bootstrapped boolean NOT NULL DEFAULT false,
    bootstrapped_at bigint,
    is_paused boolean NOT NULL DEFAULT false,
    pause_reason text,
    paused_at bigint,
    resumed_at bigint,
    PRIMARY KEY (singleton)
);

CREATE TABLE system_parameters (
    id text COLLATE "C" NOT NULL,
    value text NOT NULL DEFAULT '',
    updated_at bigint,
    PRIMARY KEY (id)
);

CREATE TABLE admins (
    admin_id text COLLATE "C" NOT NULL,
    appointed_at bigint,
    PRIMARY KEY (admin_id)
);

CREATE TABLE countries (
    country_code text COLLATE "C" NOT NULL,
    percentage text NOT NULL DEFAULT '0',
    treasury_id text NOT NULL DEFAULT '',
    opened_at bigint,
    users bigint NOT NULL DEFAULT 0,
    genesis_users bigint NOT NULL DEFAULT 0,
    genesis_user_amount bigint NOT NULL DEFAULT 0,
    genesis_treasury_amount bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (country_code)
) WITH (fillfactor = 50);

CREATE TABLE users (
    user_id text COLLATE "C" NOT NULL,
    nationality text NOT NULL DEFAULT '',
    age integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'Active',
    lock_reason text,
    trust_score integer NOT NULL DEFAULT 0,
    created_at bigint,
    genesis_at bigint,
    genesis_phase integer NOT NULL DEFAULT 0,
    genesis_amount bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id)
) WITH (fillfactor = 80);

CREATE TABLE accounts (
    account_id text COLLATE "C" NOT NULL,
    balance bigint NOT NULL DEFAULT 0,
    kind text NOT NULL DEFAULT 'wallet',
    status text NOT NULL DEFAULT 'Active',
    is_frozen boolean NOT NULL DEFAULT false,
    freeze_reason text,
    country text,
    tax_timer_started_at bigint,
    PRIMARY KEY (account_id)
) WITH (fillfactor = 50);

CREATE TABLE account_entries (
    account_id text COLLATE "C" NOT NULL,
    block_number bigint NOT NULL,
    position integer NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    delta bigint NOT NULL,
    counterparty text,
    remark text,
    recorded_at bigint NOT NULL,
    transaction_id text NOT NULL,
    command_id text,
    PRIMARY KEY (account_id, block_number, position, ordinal)
);

CREATE TABLE supply (
    singleton boolean NOT NULL,
    minted bigint NOT NULL DEFAULT 0,
    balances bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (singleton)
) WITH (fillfactor = 50);

CREATE TABLE genesis (
    singleton boolean NOT NULL,
    distributed bigint NOT NULL DEFAULT 0,
    phase integer NOT NULL DEFAULT 0,
    user_amount bigint NOT NULL DEFAULT 0,
    treasury_amount bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (singleton)
) WITH (fillfactor = 50);

