-- Organisations: who holds them, by which rules they pay, and the payments that several approve.
CREATE TABLE organizations (
    org_id text COLLATE "C" NOT NULL,
    name text NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'Proposed',
    proposed_by text NOT NULL DEFAULT '',
    proposed_at bigint,
    activated_at bigint,
    PRIMARY KEY (org_id)
) WITH (fillfactor = 80);

CREATE TABLE organization_members (
    org_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    endorsed_at bigint,
    PRIMARY KEY (org_id, user_id)
) WITH (fillfactor = 80);

-- approver_group is a JSON list of user ids, in byte order.
CREATE TABLE organization_rules (
    org_id text COLLATE "C" NOT NULL,
    rule_id text COLLATE "C" NOT NULL,
    amount_threshold bigint NOT NULL DEFAULT 0,
    required_approvers integer NOT NULL DEFAULT 0,
    approver_group text NOT NULL DEFAULT '[]',
    endorsements integer NOT NULL DEFAULT 0,
    effective_at bigint,
    PRIMARY KEY (org_id, rule_id)
) WITH (fillfactor = 80);

CREATE TABLE multisig_transactions (
    tx_id text COLLATE "C" NOT NULL,
    org_id text NOT NULL DEFAULT '',
    to_id text NOT NULL DEFAULT '',
    amount bigint NOT NULL DEFAULT 0,
    fee bigint NOT NULL DEFAULT 0,
    remark text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'Pending',
    required_approvers integer NOT NULL DEFAULT 0,
    approver_group text NOT NULL DEFAULT '[]',
    approvals integer NOT NULL DEFAULT 0,
    initiated_by text NOT NULL DEFAULT '',
    initiated_at bigint,
    settled_at bigint,
    failure_code text,
    failure_detail text,
    PRIMARY KEY (tx_id)
) WITH (fillfactor = 80);
-- What of an organisation waits for approvals.
CREATE INDEX multisig_transactions_org_id_idx ON multisig_transactions (org_id, status, tx_id);

CREATE TABLE multisig_approvals (
    tx_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    approved_at bigint,
    PRIMARY KEY (tx_id, user_id)
);
