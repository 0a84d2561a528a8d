// The baseline of `make bench-fabric`: an outbox submitter as one writes it with Fabric's official
// Node client. It takes commands from the same outbox, makes a transaction of each, and stores the
// verdicts with the same function of the database. Of what a submitter must do it leaves out what
// costs: nothing is persisted before it is submitted, so a crash would lose or repeat commands.
//
//     node submitter.mjs PLAN.json        the plan: see benchmarks/fabric_node.py

import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { connect, hash, signers, StatusCode } from "@hyperledger/fabric-gateway";
import pg from "pg";

const MESSAGE_BYTES_MAX = 100 * 1024 * 1024;
const IDLE_MS = 5;
const AGAIN_MS = 10;

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));

const client = new grpc.Client(
  plan.peer.endpoint,
  grpc.credentials.createSsl(readFileSync(plan.peer.tlsCa)),
  {
    "grpc.ssl_target_name_override": plan.peer.serverName,
    "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  },
);
const gateway = connect({
  client,
  hash: hash.sha256,
  identity: { mspId: plan.identity.mspId, credentials: readFileSync(plan.identity.certificate) },
  signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(plan.identity.key))),
});
const contract = gateway.getNetwork(plan.channel).getContract(plan.chaincode);
const pool = new pg.Pool({ ...plan.database, max: 4 });

/** Entries that wait here, oldest first; `known` also has those on their way. */
const waiting = [];
const known = new Set();
const flying = new Set();
let inFlight = 0;
let settled = [];
let isSettling = false;
let isStopping = false;

/** Look at the oldest entries again and again: a cursor would miss one that commits late. */
async function read() {
  const { rows } = await pool.query({ name: "pending", text: plan.pending, values: [0, plan.page] });
  for (const row of rows) {
    if (!known.has(row.seq)) {
      known.add(row.seq);
      waiting.push(row);
    }
  }
}

/** Send what may go: entries that share an account go one after the other, in order. */
function send() {
  const held = new Set(flying);
  for (let place = 0; place < waiting.length && inFlight < plan.inFlight; ) {
    const entry = waiting[place];
    const isFree = entry.scopes.every((scope) => !held.has(scope));
    for (const scope of entry.scopes) held.add(scope);
    if (!isFree) {
      place += 1;
      continue;
    }
    waiting.splice(place, 1);
    for (const scope of entry.scopes) flying.add(scope);
    inFlight += 1;
    deliver(entry).then(() => {
      inFlight -= 1;
      for (const scope of entry.scopes) flying.delete(scope);
      send();
    });
  }
}

async function deliver(entry) {
  const given = JSON.parse(entry.arguments);
  const call = plan.calls[entry.command_type];
  const item = {
    commandId: entry.command_id,
    key: entry.key_hash ?? entry.command_id,
    function: call.function,
    args: call.parameters.map((name) => given[name]),
    actor: entry.actor,
  };
  const options = { arguments: [JSON.stringify([item])] };
  for (;;) {
    try {
      const proposal = contract.newProposal(plan.function, options);
      const transaction = await proposal.endorse();
      const commit = await transaction.submit();
      const status = await commit.getStatus();
      if (status.code === StatusCode.VALID) {
        settle(entry, status);
        return;
      }
      report(`${status.transactionId} is invalid: ${status.code}`);
    } catch (error) {
      report(`${error.name}: ${error.details?.map((one) => one.message) ?? error.message}`);
    }
    await sleep(AGAIN_MS);
  }
}

function settle(entry, status) {
  settled.push({ entry, status });
  if (!isSettling) {
    isSettling = true;
    settleAll().finally(() => {
      isSettling = false;
    });
  }
}

/** Store the answers that came while the last ones were stored. */
async function settleAll() {
  while (settled.length > 0) {
    const group = settled;
    settled = [];
    const ids = group.map(({ entry }) => entry.command_id);
    const none = ids.map(() => null);
    const transactions = group.map(({ status }) => status.transactionId);
    const blocks = group.map(({ status }) => status.blockNumber.toString());
    const outcomes = ids.map(() => plan.committed);
    const lease = [plan.lease.name, plan.lease.epoch];
    const values = [...lease, null, ids, outcomes, none, none, none, transactions, blocks];
    await pool.query({ name: "settle", text: plan.settle, values });
    for (const { entry } of group) known.delete(entry.seq);
  }
}

function report(text) {
  process.stderr.write(`${text}\n`);
}

const probe = createServer((_request, response) => response.end("ready"));
probe.listen(plan.readyPort, "127.0.0.1");
process.on("SIGTERM", () => {
  isStopping = true;
});

while (!isStopping) {
  if (waiting.length === 0) await read();
  send();
  await sleep(IDLE_MS);
}
while (inFlight > 0 || isSettling) await sleep(IDLE_MS);
probe.close();
gateway.close();
client.close();
await pool.end();
