/** The measures of a node in the text format that Prometheus reads (version 0.0.4). Times are in seconds, as is the custom there. */
import { BUCKETS_MS, type Latency, type Measures } from "./measures.ts";
import type { NodeStatus } from "./protocol.ts";

export function prometheusText(status: NodeStatus, { counts, commit, storage }: Measures): string {
  const node = `node="${label(status.nodeId)}"`;
  const voter = status.voters.includes(status.nodeId) ? 1 : 0;
  return [
    ...metric("tabraft_info", "gauge", "This node, its name and its role.", [
      `{${node},name="${label(status.name)}",role="${status.role}"} 1`,
    ]),
    ...plain(node, "tabraft_term", "gauge", "The current term (§5.1).", status.term),
    ...plain(node, "tabraft_is_leader", "gauge", "1 if this node leads.", status.role === "leader" ? 1 : 0),
    ...plain(node, "tabraft_has_leader", "gauge", "1 if this node knows of a leader.", status.leader === null ? 0 : 1),
    ...plain(node, "tabraft_has_quorum", "gauge", "1 if a majority of the voters answers.", status.quorum ? 1 : 0),
    ...plain(node, "tabraft_is_voter", "gauge", "1 if this node votes.", voter),
    ...plain(node, "tabraft_voters", "gauge", "Voters of the configuration in force.", status.voters.length),
    ...plain(node, "tabraft_failure_tolerance", "gauge", "How many more voters may fail.", status.failureTolerance),
    ...plain(node, "tabraft_commit_index", "gauge", "The highest index known to be committed.", status.commitIndex),
    ...plain(node, "tabraft_last_applied", "gauge", "The highest index that is applied.", status.lastApplied),
    ...plain(node, "tabraft_last_log_index", "gauge", "The end of the log.", status.lastLogIndex),
    ...plain(node, "tabraft_snapshot_index", "gauge", "The last index of the snapshot; 0 without one.", status.snapshotIndex),
    ...plain(node, "tabraft_storage_bytes", "gauge", "Bytes that this node holds on disk.", status.storage.bytes),
    ...plain(node, "tabraft_commits_total", "counter", "Entries that became known as committed.", counts.commits),
    ...plain(node, "tabraft_storage_writes_total", "counter", "Writes that became durable.", counts.writes),
    ...plain(node, "tabraft_elections_total", "counter", "Campaigns of this node, without PreVotes.", counts.elections),
    ...plain(node, "tabraft_leader_changes_total", "counter", "Changes of the leader as seen here.", counts.leaderChanges),
    ...metric("tabraft_messages_total", "counter", "Raft messages.", [
      `{${node},direction="in"} ${counts.messagesIn}`,
      `{${node},direction="out"} ${counts.messagesOut}`,
    ]),
    ...metric("tabraft_bytes_total", "counter", "Bytes of frames to and from peers.", [
      `{${node},direction="in"} ${counts.bytesIn}`,
      `{${node},direction="out"} ${counts.bytesOut}`,
    ]),
    ...roundTrips(node, status),
    ...refusals(node, status),
    ...histogram(node, "tabraft_commit_seconds", "From an entry's place in the log to its commitment.", commit),
    ...histogram(node, "tabraft_storage_write_seconds", "From the asking of a write to its durability.", storage),
    "",
  ].join("\n");
}

function metric(name: string, kind: string, help: string, lines: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines.map((line) => `${name}${line}`)];
}

function plain(node: string, name: string, kind: string, help: string, value: number): string[] {
  return metric(name, kind, help, [`{${node}} ${value}`]);
}

function roundTrips(node: string, { peers }: NodeStatus): string[] {
  const lines = peers.flatMap(({ id, roundTripMs, connected }) =>
    roundTripMs === null || !connected ? [] : [`{${node},peer="${label(id)}"} ${roundTripMs / 1000}`],
  );
  return metric("tabraft_round_trip_seconds", "gauge", "Smoothed round trip to each peer.", lines);
}

function refusals(node: string, { refused }: NodeStatus): string[] {
  const lines = Object.entries(refused).map(([reason, count]) => `{${node},reason="${label(reason)}"} ${count}`);
  return metric("tabraft_refused_total", "counter", "Messages refused or dropped.", lines);
}

function histogram(node: string, name: string, help: string, { buckets, count, sumMs }: Latency): string[] {
  let sum = 0;
  const lines = BUCKETS_MS.map((bound, at) => {
    sum += buckets[at] ?? 0;
    return `_bucket{${node},le="${bound / 1000}"} ${sum}`;
  });
  return metric(name, "histogram", help, [
    ...lines,
    `_bucket{${node},le="+Inf"} ${count}`,
    `_sum{${node}} ${sumMs / 1000}`,
    `_count{${node}} ${count}`,
  ]);
}

function label(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
