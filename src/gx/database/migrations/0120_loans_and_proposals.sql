-- Loans from the loan pool, found by their borrower, and proposals with their votes, the newest
-- first. trust_score is what the borrower's was at the application.
CREATE TABLE loans (
    loan_id text COLLATE "C" NOT NULL,
    borrower_id text NOT NULL DEFAULT '',
    amount bigint NOT NULL DEFAULT 0,
    outstanding bigint NOT NULL DEFAULT 0,
    repaid bigint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'Pending',
    collateral_hash text NOT NULL DEFAULT '',
    trust_score integer NOT NULL DEFAULT 0,
    applied_at bigint NOT NULL DEFAULT 0,
    decided_at bigint,
    reject_reason text,
    repaid_at bigint,
    PRIMARY KEY (loan_id)
) WITH (fillfactor = 80);
CREATE INDEX loans_borrower_id_idx ON loans (borrower_id, applied_at, loan_id);

CREATE TABLE proposals (
    proposal_id text COLLATE "C" NOT NULL,
    target_param text NOT NULL DEFAULT '',
    new_value text NOT NULL DEFAULT '',
    title text NOT NULL DEFAULT '',
    proposer_id text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'Open',
    reject_reason text,
    submitted_at bigint NOT NULL DEFAULT 0,
    ends_at bigint,
    decided_at bigint,
    votes_for bigint NOT NULL DEFAULT 0,
    votes_against bigint NOT NULL DEFAULT 0,
    votes_abstain bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (proposal_id)
) WITH (fillfactor = 50);
CREATE INDEX proposals_submitted_at_idx ON proposals (submitted_at, proposal_id);
