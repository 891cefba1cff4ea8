-- People and programs that may read. Secrets are stored only as hashes.

-- One row: somebody who may sign in.
create table users (
    id integer generated always as identity primary key,
    name text not null unique check (name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'),
    -- Argon2id, in its own encoded form.
    password_hash text not null,
    role text not null default 'viewer' check (role in ('viewer', 'manager', 'admin')),
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);

-- One row: one signed-in browser. The cookie holds a random token, the table only its SHA-256.
create table sessions (
    token_sha256 bytea primary key check (length(token_sha256) = 32),
    user_id integer not null references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

-- One row: a key for a program; shown once, kept as SHA-256.
create table api_keys (
    id integer generated always as identity primary key,
    name text not null check (length(name) between 1 and 100),
    key_sha256 bytea not null unique check (length(key_sha256) = 32),
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz
);

grant select, insert, update on users, api_keys to brimwatch_dashboard;
grant select, insert, update, delete on sessions to brimwatch_dashboard;
grant insert on audit_log to brimwatch_dashboard;
