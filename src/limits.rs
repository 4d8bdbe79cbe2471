//! Every hard bound of the house, each with its reason. A loop, queue or table that the network feeds names its bound here.

use std::time::Duration;

/// Compression pointers followed in one name. Names of real servers need one or two; a chain of pointers is an attack
/// (RFC 9267 section 3).
pub const POINTERS_PER_NAME: usize = 16;
/// Compression pointers followed in one message: 64 kB of names made of pointers must not cost more than it is worth.
pub const POINTERS_PER_MESSAGE: usize = 2048;
/// RRsets told apart in one section of a reply. A referral has a few dozen; more would make grouping them costly.
pub const RRSETS_PER_SECTION: usize = 256;
/// EDNS options looked at in one message; the rest are passed over unread (CVE-2026-41292 fed a hundred thousand).
pub const EDNS_OPTIONS: usize = 32;
/// Names a response is searched for suffixes to point at; later names are written out in full (CVE-2024-8508).
pub const COMPRESSION_NAMES: usize = 120;
/// Suffixes with hashes alike that are looked at to find one; in an honest response that is one or two. Names of 127
/// labels, hundreds of them, would otherwise cost 50 ms (measured).
pub const COMPRESSION_STEPS: usize = 8;
/// Aliases (CNAME, DNAME) followed for one question within local zones. Peers stop at 10 to 20.
pub const LOCAL_ALIASES: usize = 16;
/// Records of one RRset whose targets' addresses are added. The root has 13 servers; beyond twice that no client gains.
pub const ADDITIONAL_TARGETS: usize = 26;
/// Records of an RRset that take turns at being the first. To count 100,000 of them takes a hundred times as long as to
/// write those that have room.
pub const ROTATED_RECORDS: usize = 256;
/// Name servers of a delegation whose glue, two RRsets each, is looked for. Real ones have a dozen; with 100,000 of them in a
/// zone each referral took 13 ms (measured).
pub const REFERRAL_SERVERS: usize = RRSETS_PER_SECTION / 2;

/// Octets a UDP response may have whatever the client says it takes: above this, fragments begin (RFC 9715).
pub const UDP_PAYLOAD: u16 = 1232;
/// Octets of the largest request taken over UDP. What is longer is cut by the kernel and refused as malformed.
pub const UDP_REQUEST: usize = 4096;
/// Datagrams taken from the kernel in one call. More delays the first of them; fewer costs calls.
pub const UDP_BATCH: usize = 32;

/// TCP connections from one client prefix (/24, /56), as a share of all: one in ten.
pub const TCP_PREFIX_SHARE: usize = 10;
/// TCP connections in all, when the process may open enough descriptors.
pub const TCP_CONNECTIONS: usize = 8192;
/// Time from accept to the first octet of a request.
pub const TCP_FIRST_OCTET: Duration = Duration::from_secs(2);
/// Time from the first octet of a message to its last.
pub const TCP_MESSAGE: Duration = Duration::from_secs(5);
/// Time a connection may be idle between messages (RFC 7766 6.2.3), less under load.
pub const TCP_IDLE: Duration = Duration::from_secs(10);
/// Requests of one connection that may be under way at once (RFC 7766 6.2.1.1).
pub const TCP_PIPELINE: usize = 32;

/// Errors reported for one zone file; a file with more is of another kind. `namu check` reports so many of each kind of finding.
pub const ZONEFILE_ERRORS: usize = 20;
/// Depth of `$INCLUDE`.
pub const ZONEFILE_INCLUDES: usize = 8;
/// Octets of all files of one zone together.
pub const ZONEFILE_OCTETS: u64 = 4 << 30;
/// Octets of a configuration file: a thousand times the largest seen.
pub const CONFIG_OCTETS: u64 = 16 << 20;

/// Blocks of access-log text waiting for the writer; when they are full a block is dropped and counted.
pub const ACCESS_LOG_BLOCKS: usize = 64;
/// Octets of one such block.
pub const ACCESS_LOG_BLOCK: usize = 64 * 1024;
/// Longest a line of the access log waits in a worker's block.
pub const ACCESS_LOG_DELAY: Duration = Duration::from_millis(100);

/// Octets of a datagram taken from an upstream server; we offer less, and what is longer is cut and found malformed.
pub const UPSTREAM_DATAGRAM: usize = 4096;
/// Random ports tried for one upstream query before the choice is left to the kernel.
pub const UPSTREAM_PORT_DRAWS: usize = 16;
/// Octets of all records of one owner name in a zone, the length of each included. More than a thousand times what any
/// response can carry; inside a node, offsets of four octets must reach everywhere.
pub const ZONE_OWNER_OCTETS: usize = 64 << 20;
/// Packets sent upstream for one client query, children included (option `max-upstream-queries`). A cold name through
/// four zones with servers that have no glue needs about 20.
pub const UPSTREAM_PACKETS: u32 = 64;
/// Octets taken from upstream for one client query (CVE-2026-24027): one reply of the largest size and ordinary ones.
pub const UPSTREAM_OCTETS: u32 = 100_000;
/// Time one client query may take, its children included (option `query-timeout`); clients give up by then.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// Questions that wait for each other: the address of a server whose zone has a server whose address ...
pub const CHILD_DEPTH: u32 = 6;
/// Child questions of one client query in all: the depth alone would allow thousands (CAMP).
pub const CHILDREN: u32 = 16;
/// Child questions of one client query that may come back NXDOMAIN: honest delegations name servers that exist
/// (NXNSAttack, CVE-2020-8616).
pub const CHILDREN_NXDOMAIN: u32 = 5;
/// Questions for addresses of name servers without glue, of either type, in one delegation (NXNSAttack).
pub const CHILDREN_PER_DELEGATION: usize = 5;
/// Aliases (CNAME, DNAME) followed for one client query. Peers stop at 10 to 13.
pub const ALIASES: u32 = 10;
/// Referrals followed for one client query, children included.
pub const REFERRALS: u32 = 24;
/// Name servers of one delegation that are kept: the root has 13, nobody needs more (NRDelegation, CVE-2022-2795).
pub const NAME_SERVERS: usize = 13;
/// Addresses of one name server that are kept (CVE-2026-3592).
pub const NAME_SERVER_ADDRESSES: usize = 6;
/// Different addresses asked for one client query: both families of 13 servers.
pub const UPSTREAM_ADDRESSES: usize = 26;
/// Name servers without glue that are kept of an NS RRset with more records than [`NAME_SERVERS`]: honest zones have none,
/// so its owner is not worth more than one lookup.
pub const NAME_SERVERS_OF_TOO_MANY: usize = 1;
/// Silent tries at the servers of one delegation that nobody has heard of yet. With every second exchange lost, 10 fail
/// once in a thousand times.
pub const TRIES_PER_DELEGATION: u32 = 10;
/// The same for a child question: its parent has other servers to find.
pub const TRIES_PER_DELEGATION_OF_CHILD: u32 = 4;
/// The same when all servers of the delegation have been silent for a while: a probe, so that a network that is back
/// is noticed by the next question.
pub const TRIES_PER_SILENT_DELEGATION: u32 = 3;
/// The same for a child question.
pub const TRIES_PER_SILENT_DELEGATION_OF_CHILD: u32 = 1;
/// Replies of one delegation's servers that do not help: lame, refused, malformed. Each can cost two packets.
pub const BAD_REPLIES_PER_DELEGATION: u32 = 5;
/// Datagrams that come back for one query and are not its reply, before no more are read from that port (RFC 5452 9.1)
/// and the question goes over a stream. One that could be a forger's guess sends it there at once.
pub const STRAY_DATAGRAMS: u32 = 20;
/// Time a server nobody knows yet has for its reply.
pub const UNKNOWN_ROUND_TRIP: Duration = Duration::from_millis(376);
/// Shortest and longest time a server has for its reply. Below the first, jitter would look like loss.
pub const REPLY_TIMEOUT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Time a server has for its reply over a stream, three round trips and a slow start among it.
pub const STREAM_TIMEOUT: Duration = Duration::from_secs(2);
/// Steps kept in the trace of one client query; what comes later is left out. More than an honest query takes.
pub const TRACE_STEPS: usize = 256;
/// Exchanges shown in the access log for one client query.
pub const TRACE_EXCHANGES: usize = 16;
/// Questions under way at once. Each client that waits has a handful at most.
pub const FLIGHTS: usize = 16 * 1024;
/// Clients and questions that wait for one question under way.
pub const FOLLOWERS: usize = 100;
/// How often a follower starts again because the question it followed ended for lack of its leader's budget.
pub const FOLLOWER_RESTARTS: u32 = 3;
/// Records of one RRset that is still cached; a larger one is answered and forgotten (CVE-2024-1737).
pub const CACHE_RRSET_RECORDS: usize = 100;
/// Octets of one cache entry, all its RRsets together; a larger one is answered and forgotten. Real answers end at a
/// few kB, and a flood of large ones must not flush the small ones (BIND's CVE-2023-2828 was that).
pub const CACHE_ENTRY_OCTETS: usize = 8 * 1024;
/// Resolution failures remembered (RFC 9520). They live for seconds, so this is thousands of failures a second.
pub const CACHE_FAILURES: usize = 16 * 1024;
/// Octets of them all together.
pub const CACHE_FAILURES_OCTETS: usize = 8 << 20;
/// Shortest and longest time a resolution failure may be remembered (RFC 9520 3.2).
pub const CACHE_FAILURE_TTL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Delegations remembered. One that had to go costs a question to its parent.
pub const CACHE_DELEGATIONS: usize = 32 * 1024;
/// Octets of them all together: an eighth of the default cache, reached only with names and glue made to be large.
pub const CACHE_DELEGATIONS_OCTETS: usize = 32 << 20;
/// Addresses of servers with a remembered round-trip time and ability.
pub const CACHE_SERVERS: usize = 32 * 1024;
/// Octets of them all together.
pub const CACHE_SERVERS_OCTETS: usize = 8 << 20;
/// Pairs of server and zone remembered as lame.
pub const CACHE_LAME: usize = 16 * 1024;
/// Octets of them all together.
pub const CACHE_LAME_OCTETS: usize = 8 << 20;
/// How long anything about a server is believed without news: a server that was moved or repaired is met afresh.
pub const SERVER_MEMORY: Duration = Duration::from_secs(900);
/// Tries in a row without a reply after which a server is left alone.
pub const SERVER_SILENT_TRIES: u32 = 3;
/// How long it is left alone at first; each further silent try doubles it.
pub const SERVER_BACK_OFF: Duration = Duration::from_secs(5);
/// How long it is left alone at most, so that a network that comes back is noticed within minutes.
pub const SERVER_BACK_OFF_MAX: Duration = Duration::from_secs(300);
/// Octets of the longest line of the access log: a name of 255 octets escaped throughout, and the exchanges below.
pub const ACCESS_LOG_LINE: usize = 2048;
/// Upstream exchanges one line of the access log tells of; `tries=` counts the rest.
pub const ACCESS_LOG_EXCHANGES: usize = 8;
/// Shortest time between two complaints that the access log cannot be written.
pub const ACCESS_LOG_COMPLAINT: Duration = Duration::from_secs(60);
/// Written blocks that come back to a worker to be filled again; more than two are never under way for long.
pub const ACCESS_LOG_SPARES: usize = 2;
/// Mistakes reported for one configuration file; a file with more is of another kind.
pub const CONFIG_ERRORS: usize = 100;
/// Octets of configuration read again to find further mistakes, behind the first: keeps a huge broken file quick.
pub const CONFIG_REREAD_OCTETS: usize = 8 << 20;
/// Characters of a line, a message or a suggestion that are shown: a value of a megabyte says no more.
pub const CONFIG_SHOWN: usize = 400;
/// Depth of lists and maps in a configuration file. The deepest key of the reference stands at 5.
pub const CONFIG_DEPTH: usize = 16;
/// Worker threads an operator may ask for; more than cores only costs memory.
pub const WORKERS: u16 = 1024;
/// Files of one zone, each inclusion counted: a directory of hosts, not a loop that doubles itself.
pub const ZONEFILE_FILES: usize = 10_000;
/// Characters of a source line shown on each side of a mistake: a screen's width, though the line may be gigabytes.
pub const ZONEFILE_EXCERPT: usize = 120;
/// Octets one UDP response may have: the buffer, not the policy, which is [`UDP_PAYLOAD`] unless configured otherwise.
pub const UDP_RESPONSE: usize = 4096;
/// Octets the kernel may hold for one UDP socket each way: some 10 ms of packets at full rate, while a core is elsewhere.
pub const UDP_SOCKET_BUFFER: usize = 1 << 20;
/// Longest a door waits for a request before it looks around: how long an idle worker keeps an old snapshot.
pub const DOOR_IDLE: Duration = Duration::from_secs(1);
/// Longest a worker waits for room in a full send buffer before it gives up the rest of a batch.
pub const UDP_SEND_WAIT: Duration = Duration::from_millis(10);
/// Longest a stopping worker goes on answering what the kernel had queued: at full rate the queue never is empty.
pub const UDP_DRAIN: Duration = Duration::from_millis(200);
/// Questions that wait for recursion at once, all cores together; one more takes the place of an old one.
pub const WAITING_REQUESTS: usize = 4096;

/// Connections the kernel may hold ready for one listener.
pub const TCP_BACKLOG: i32 = 1024;
/// Octets taken from a connection in one read.
pub const TCP_READ: usize = 16 * 1024;
/// Octets of responses gathered before they are written; until then no further request of the connection is begun.
pub const TCP_OUTPUT: usize = 64 * 1024;
/// Time a client has to take what was gathered; one that never reads is cut.
pub const TCP_WRITE: Duration = Duration::from_secs(5);
/// Time a connection is left alone after accept or its latest message, even when others need its place.
pub const TCP_QUIET: Duration = Duration::from_millis(200);
/// Eighths of the connections, in all or of one prefix, from which on the quiet ones are closed to make room.
pub const TCP_CROWDED: usize = 7;
/// Pause of a door after an error that will not pass at once, as no descriptors left (EMFILE).
pub const DOOR_PAUSE: Duration = Duration::from_millis(100);

/// Panics within [`PANIC_WINDOW`] after which the process is to be started anew.
pub const PANICS: usize = 3;
/// See [`PANICS`].
pub const PANIC_WINDOW: Duration = Duration::from_secs(10);
/// Octets of a request that made us panic which are written to the log.
pub const PANIC_OCTETS: usize = 512;
/// Tries to find a port that is free for UDP and TCP when the kernel may choose it.
pub const PORT_TRIES: usize = 16;
/// How long after its deadline a client query still waits for the flight that ends by the same one: long enough to be
/// told why.
pub const LANDING_GRACE: Duration = Duration::from_millis(50);
/// Longest the end of the process waits for the access log to be written: a disk gets that far, a reader that has
/// stopped never would.
pub const ACCESS_LOG_FINISH: Duration = Duration::from_secs(1);

/// Iterations of NSEC3 with which a zone is still served (RFC 9276 3.1 wants 0): each costs a hash for each name that is
/// loaded and for some that are asked. Resolvers stopped at 150 when they first agreed on a bound, and at 50 since.
pub const NSEC3_ITERATIONS: u16 = 150;
/// Names passed over on the way back to one with an NSEC or NSEC3 record. Only empty non-terminals have none, 127 of them
/// in a row at most, and those of another chain while the parameters change; more is a zone signed by halves.
pub const DENIAL_STEPS_BACK: usize = 256;

/// Octets of all files together that one zone includes. Ten million records are that long; a device image or a log that
/// somebody included is longer, and is refused before it is read.
pub const ZONEFILE_INCLUDED_OCTETS: u64 = 512 << 20;
/// Seconds before their expiration from which signatures are warned of. Signers renew a week or more ahead, so at three days
/// the renewal has failed, and a weekend is left to repair it.
pub const SIGNATURES_EXPIRE_SOON: u32 = 3 * 86_400;
/// Terms of an SPF record that cost a query, before a receiver gives up (RFC 7208 4.6.4).
pub const SPF_LOOKUPS: usize = 10;

/// Records that all `$GENERATE` of one zone may make: 256 networks of 256 addresses. BIND has no bound, and one line fills
/// its memory.
pub const ZONEFILE_GENERATED: u64 = 65_536;
/// Characters a number may be filled up to by `$GENERATE`: no name and no character-string has more.
pub const ZONEFILE_GENERATE_WIDTH: usize = 255;

/// Octets of the name a server gives itself (option `identity`): with all other options of a response and a name of
/// full length it fits into the 512 octets every client takes.
pub const IDENTITY: usize = 128;
/// Records of one RRset that are shuffled; a larger one begins at a random record and goes round. What is shuffled is
/// held on the stack.
pub const SHUFFLED_RECORDS: usize = 64;
/// Octets of one message of a zone transfer, unless one record needs more: as far as compression pointers reach, and
/// little enough that other answers of the connection get in between.
pub const TRANSFER_MESSAGE: usize = 16 * 1024;
/// Zone transfers under way at once, asked for by anybody who may: each holds its version of the zone.
pub const TRANSFERS: usize = 10;
/// Zone transfers under way at once to one address.
pub const TRANSFERS_PER_PEER: usize = 2;
/// Answers to client prefixes that one worker counts apart; one more takes the place of one not seen
/// for long. Together they take one mebioctet.
pub const RATE_LIMIT_ANSWERS: usize = 64 * 1024;
/// Seconds without excess until an answer that was sent too often is sent again at once, at most (BIND's window).
pub const RATE_LIMIT_WINDOW: u32 = 15;
/// Responses a second of one answer to one prefix an operator may allow: what ten servers at full rate give.
pub const RATE_LIMIT_MOST: u32 = 1_000_000;
/// Secrets of DNS cookies accepted at once: one in use, one before, one after (RFC 9018 section 5), one to spare.
pub const COOKIE_SECRETS: usize = 4;
/// Octets of the file they stand in, comments included.
pub const COOKIE_SECRET_FILE: u64 = 4096;
/// Time after which a secret nobody configured is replaced (RFC 7873 7.1 allows up to 36 days).
pub const COOKIE_SECRET_LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long a changed file is to be left alone before it is read: editors write in several steps.
pub const WATCH_QUIET: Duration = Duration::from_millis(100);
/// The same for a file that got shorter or vanished: it may be in the middle of being written anew.
pub const SHRUNK_QUIET: Duration = Duration::from_secs(1);
/// Longest a file that never is quiet is waited for before it is read anyway.
pub const WATCH_PATIENCE: Duration = Duration::from_secs(10);
/// Paths of changed files waiting to be looked at; when there are more, all zones are looked at instead.
pub const WATCH_PATHS: usize = 4096;
/// A file whose time stamp is younger than this when it is read may change without another stamp: coarse clocks of file
/// systems go in steps of up to two seconds.
pub const STAMP_GRAIN: Duration = Duration::from_secs(2);
/// How often an order to reload reads a file again that changes while it is read, before its answer says so.
pub const RELOAD_TRIES: u32 = 10;
/// Zones read before what is new of them is published: waiting for all of ten thousand would hold back the first, and
/// publishing each by itself would make every worker look ten thousand times.
pub const RELOAD_BATCH: usize = 256;
/// Orders on their way to the house.
pub const CONTROL_ORDERS: usize = 64;
/// Clients of the control socket at once; more are told to come again.
pub const CONTROL_CLIENTS: usize = 16;
/// Octets of one order. The longest brings entries for the cache, whose escapes may double in JSON.
pub const CONTROL_REQUEST: usize = 256 * 1024;
/// Octets of records in one reply; the rest of a zone comes in further pieces.
pub const CONTROL_PIECE: usize = 1 << 20;
/// Octets of one reply a client takes: the counters of a hundred thousand zones.
pub const CONTROL_REPLY: u64 = 64 << 20;
/// Time a client of the control socket has to send its order or to take its reply.
pub const CONTROL_TIME: Duration = Duration::from_secs(10);
/// Time the last replies have to be written when the server ends.
pub const CONTROL_FAREWELL: Duration = Duration::from_secs(1);
/// Lines of a difference shown before an edit is put in place; what is more is summed up.
pub const EDIT_LINES: usize = 40;
/// Octets of the journal of one zone unless its `journal:` says otherwise; then the oldest versions go. A zone of a million
/// records takes some 70 MB in full, so it has room for changes.
pub const JOURNAL_OCTETS: u64 = 128 << 20;
/// Octets of a journal that is read. One that grew beyond was not written by us.
pub const JOURNAL_READ_OCTETS: u64 = 4 << 30;
/// Records from which on the first version of a zone is written to its journal only when a second one comes: until then a
/// hash is enough, and a start need not write as much as it reads.
pub const JOURNAL_EAGER_RECORDS: usize = 100_000;

// Cache and recursion under load.

/// Stores after which one of the 256 parts of the cache is looked through for what nobody may be given any more: a
/// microsecond a store, and in 65,536 stores the whole.
pub const CACHE_SWEEP_STORES: usize = 256;
/// How long an answer that could not be had anew is given out stale without another try (RFC 8767 5: not more often than
/// every 30 seconds).
pub const STALE_QUIET: Duration = Duration::from_secs(30);
/// Flights under way for answers that are about to expire. Nobody waits for them, so they never take what others need.
pub const PREFETCHES: usize = 256;
/// Flights that may be at the servers of one zone at once: ten thousand questions a second at 20 ms, and of a dead zone no
/// more than that (random subdomains). The root and its children have more names than any flood.
pub const ZONE_FLIGHTS: usize = 200;
/// Clients of one prefix (/24, /56) whose questions wait at once: what they are told together when a server that held
/// its replies lets them go is no pulse worth making (CVE-2024-33655).
pub const WAITING_OF_PREFIX: usize = 200;
/// The same for those who have shown by a cookie that they are where they say, and may be a whole company.
pub const WAITING_OF_PREFIX_WITH_COOKIE: usize = 1000;
/// How long a question of the half that may be pushed out has before a newer one may take its place.
pub const JOSTLE_AFTER: Duration = Duration::from_millis(200);
/// Requests that wait beside the [`WAITING_REQUESTS`]: those pushed out and not gone yet, and zone transfers.
pub const WAITING_TO_LEAVE: usize = 1024;
/// Octets of one line of a saved cache: an RDATA of the largest size in hexadecimal.
pub const CACHE_DUMP_LINE: usize = 2 * 65_535 + 16;
/// Octets of a piece of a saved cache that is written or sent at once.
pub const CACHE_DUMP_PIECE: usize = 512 * 1024;
/// Octets of a saved cache that are read: what a cache of several GiB is in hexadecimal.
pub const CACHE_DUMP_OCTETS: u64 = 16 << 30;
/// Octets of entries in one order to take them up; a whole entry has to fit.
pub const CACHE_LOAD_PIECE: usize = 96 * 1024;
/// What `namu cache get` shows at most.
pub const CACHE_SHOWN: usize = 1000;
// How long answers take.

/// Upper bounds of the counted durations in nanoseconds, from 50 us to 10 s (a hit to the longest a client waits); longer ones
/// are counted too.
pub const DURATIONS: [u64; 17] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

// Versions of zones.

/// Zones a start says one by one that they changed since the last run: a screen, not a log of ten thousand lines.
pub const START_CHANGES: usize = 20;
// Iteration: QNAME minimisation, forged replies, packets.

/// Most questions for parts of a client's name (RFC 9156 2.3, MAX_MINIMISE_COUNT). The parts grow, so that of the longest
/// name the whole is the tenth question.
pub const MINIMISED_STEPS: u32 = 10;
/// The same for all names of one client query that are not the client's: targets of aliases, and name servers. They tell
/// little of who asks, and whoever writes them could make us ask ten times for each. A name server in a top zone takes two.
pub const MINIMISED_STEPS_OF_OTHERS: u32 = 3;
/// Of these questions the first show one label more each (RFC 9156 2.3, MINIMISE_ONE_LAB).
pub const MINIMISED_SINGLE_LABELS: u32 = 4;
/// Silent tries at the servers of one delegation for the address of a name server, when the delegation that names it has
/// more than [`NAME_SERVERS`]: only an attacker's has (NRDelegation, CVE-2022-2795).
pub const TRIES_PER_DELEGATION_OF_WARY_CHILD: u32 = 1;
/// Silent tries at the servers of one delegation of which one has replied lately. With every second exchange lost, 14 fail
/// once in ten thousand times.
pub const TRIES_PER_KNOWN_DELEGATION: u32 = 14;
/// The same for a child question.
pub const TRIES_PER_KNOWN_DELEGATION_OF_CHILD: u32 = 6;
/// A server that replied so recently is not dead, however many tries in a row were lost: with half of the packets gone
/// and many questions under way that happens all the time.
pub const SERVER_ALIVE: Duration = Duration::from_secs(1);
// Forwarding.

/// Silent tries at the servers of a forward or stub zone: two rounds of two, or one server that loses a datagram in three.
pub const FORWARD_TRIES: u32 = 4;
/// The same when recursion takes over after them, so that it still has most of [`QUERY_TIMEOUT`].
pub const FORWARD_TRIES_BEFORE_FALLBACK: u32 = 2;
/// Bad replies from the servers of a forward or stub zone: a resolver that fails once for a name fails again.
pub const FORWARD_BAD_REPLIES: u32 = 5;
/// Servers asked at once with `upstream-strategy: parallel`; more would only multiply the load.
pub const FORWARD_AT_ONCE: usize = 3;
/// Least time for the reply of the only forwarder left: it may have to ask several servers itself. Doubled at each
/// try up to the longest [`REPLY_TIMEOUT`], it leaves three whole tries within [`QUERY_TIMEOUT`].
pub const FORWARD_TIMEOUT: Duration = Duration::from_millis(900);
/// Servers of one forward or stub zone.
pub const FORWARD_SERVERS: usize = 16;
// Why: explanations and the flight recorder.
/// Octets of the flight recorder: some hundreds of failed queries, or seven of the longest traces there can be.
pub const FLIGHT_RECORDER_OCTETS: usize = 1 << 20;
/// Time from which on a query that was answered is slow, and its steps are kept: people notice, and stub resolvers begin
/// to ask again.
pub const SLOW_QUERY: Duration = Duration::from_secs(1);
/// Octets of the cache of `namu explain --fresh`, which lives for one question.
pub const FRESH_CACHE_OCTETS: u64 = 1 << 20;
/// Time a server has for its reply to `namu query`, and how often it is asked over UDP, as dig has them.
pub const QUERY_COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// See [`QUERY_COMMAND_TIMEOUT`].
pub const QUERY_COMMAND_TRIES: u32 = 3;

// Last resorts.

/// Silent tries at the servers of a zone before the glue that other delegations have for them shares what is left of their
/// tries: loss of three in a row is rare, and time must be left for a server that answers.
pub const TRIES_BEFORE_OTHER_GLUE: u32 = 3;

/// This part of the time for a query is left for its answer to reach the client: of five seconds, a tenth of one. That is
/// twice [`LANDING_GRACE`].
pub const QUERY_TIMEOUT_SHARE_OF_ANSWER: u32 = 50;

// DNSSEC.

/// Octets of an RRset in canonical form that a signature may cover. A message of 64 kB grows twenty times when each of its
/// smallest records gets the longest owner back; 16 verifications of that would be 20 MB to hash. Real RRsets that come in one
/// message stay far below: 4,000 addresses of a name of 40 octets.
pub const SIGNED_OCTETS: usize = 1 << 18;

// Servers that speak TCP only.

/// Silent tries in a row after which the next goes over a stream: datagrams may be filtered where streams are not. It is
/// fewer than [`SERVER_SILENT_TRIES`], so that such a server is found before it is left alone.
pub const SILENT_TRIES_BEFORE_STREAM: u32 = 2;
/// A server that replied to a datagram so recently can be reached by datagrams: what is silent is loss.
pub const SERVER_HEARD: Duration = Duration::from_secs(30);
/// How long a server is asked over streams only before a datagram is tried again.
pub const STREAM_ONLY_MEMORY: Duration = Duration::from_secs(300);

/// NSEC and NSEC3 RRsets kept of one response. No proof needs more than three, and a chain of aliases within one zone a
/// few more (RFC 4035 3.1.3, RFC 5155 7.2); whoever sends hundreds wants them hashed (CVE-2023-50868).
pub const PROOF_RRSETS: usize = 10;

/// Questions for DS and DNSKEY RRsets for one client query. Four zones below the root have nine; aliases into cold zones
/// bring two to four each, and a name in an unsigned zone one for each label that could be a zone cut.
pub const KEY_QUESTIONS: u32 = 32;

/// Questions for keys that wait for each other: where no zone cut is known beforehand, as behind a forwarder, the DS RRset
/// of each zone waits for that of the zone above. Seven zones are as many as `VERIFICATIONS` pays for.
pub const CHAIN_DEPTH: u32 = 14;

/// Signatures verified for one client query, those of the whole chain of trust included (KeyTrap, CVE-2023-50387): a
/// cold name three zones down has six, a cold denial with NSEC3 ten. At 0.1 ms each it is a moment.
pub const VERIFICATIONS: u32 = 16;

/// Pieces of work, each some verifications, that wait for a thread. At 0.1 to 1 ms each this is a fraction of a second of
/// all cores; who comes later is told that the server is busy.
pub const COMPUTATIONS_WAITING: usize = 1024;

/// Signatures of one RRset that are looked at. Zones that change their algorithm or keys have two to four.
pub const SIGNATURES_READ: usize = 16;

/// Signatures of one RRset that are verified, by whichever key (KeyTrap, CVE-2023-50387).
pub const SIGNATURES_PER_RRSET: usize = 8;

/// Zones whose signatures of one RRset are tried. An honest RRset has those of one (RFC 4035 2.2).
pub const SIGNERS_PER_RRSET: usize = 2;

/// Keys of one zone that are looked at. The root had four at most in a rollover; signers of large zones have ten.
pub const KEYS_READ: usize = 64;

/// Keys of one tag and algorithm a signature is tried with. Tags have 16 bits, so that two keys of a zone share one happens;
/// three do only on purpose (KeyTrap, CVE-2023-50387).
pub const KEYS_OF_ONE_TAG: usize = 2;

/// DS records of one zone that are looked at.
pub const DS_READ: usize = 32;

/// Keys hashed to see whether a DS record stands for them. DS records name the tag, so an honest zone needs one each.
pub const DS_DIGESTS: usize = 4;

/// Seconds a clock may be wrong, ours or that of who signed, before a signature counts as not begun or as expired. What is
/// signed for days loses nothing by it.
pub const CLOCK_SKEW: u32 = 300;

/// Silent tries at the servers of one delegation, when one on the way had more than [`NAME_SERVERS`] or more glue than
/// [`UPSTREAM_ADDRESSES`]: only an attacker's has, and it has already cost a question over a stream (CVE-2026-3592).
pub const TRIES_PER_WARY_DELEGATION: u32 = 8;

// Denial of existence, checked.

/// Iterations of NSEC3 with which a proof still makes an answer secure or bogus; with more it is insecure (RFC 9276 3.2).
/// Resolvers agreed on 50 after CVE-2023-50868.
pub const NSEC3_ITERATIONS_CHECKED: u16 = 50;
/// Names hashed for the proofs of one answer (CVE-2023-50868). A proof needs three and one more for each label between the
/// name and its closest encloser; an address of IPv6 written in reverse is at most 32 below one.
pub const NSEC3_HASHES: usize = 32;
/// Blocks of SHA-1 for those hashes: 96 in each round of the most iterations there are, three a name. So salt, which may fill
/// five blocks, buys no time; all of them together take less than a millisecond.
pub const NSEC3_HASH_BLOCKS: usize = 96 * (1 + NSEC3_ITERATIONS_CHECKED as usize);
/// Ancestors of a name that are tried first, from the longest, as the closest encloser; then they are tried from the apex
/// down. It is most often the parent, or, where somebody asks for many random labels, near the apex.
pub const NSEC3_LABELS_FIRST: usize = 8;
/// NSEC and NSEC3 RRsets of one zone that are looked at for one answer. A proof has three, and an answer with an alias in the
/// same zone two proofs.
pub const DENIAL_RRSETS: usize = 32;

// Trust anchors.

/// Names with trust anchors. Operators have the root and a few islands; each name is looked at from time to time.
pub const TRUST_POINTS: usize = 256;
/// Trust anchors of one name that are configured. RFC 5011 2.4.3 asks for five at least; the root has had three at most.
pub const ANCHORS_PER_POINT: usize = 16;
/// Keys of one name that are followed besides those configured. Only who holds a key that is trusted can make us meet one.
pub const TRACKED_KEYS: usize = 16;
/// Octets of the RDATA of a trust anchor. A key of 4096 bits, the longest that is used, takes 520.
pub const TRUST_ANCHOR_OCTETS: usize = 1024;
/// Octets of the file in which the state of trust anchors is kept: what all of the above takes in hexadecimal.
pub const TRUST_ANCHOR_STATE: u64 = 32 << 20;
/// How long a new key has to be seen before it is trusted (RFC 5011 2.4.1).
pub const ADD_HOLD_DOWN: Duration = Duration::from_secs(30 * 86_400);
/// How long a revoked key is followed (RFC 5011 2.4.2).
pub const REMOVE_HOLD_DOWN: Duration = Duration::from_secs(30 * 86_400);
/// Least time between two looks at the keys of a name with trust anchors (RFC 5011 2.3).
pub const ANCHOR_LOOK_LEAST: Duration = Duration::from_secs(3600);
/// Most time to the next look (RFC 5011 2.3).
pub const ANCHOR_LOOK_MOST: Duration = Duration::from_secs(15 * 86_400);
/// Most time to the next look after one that failed (RFC 5011 2.3).
pub const ANCHOR_RETRY_MOST: Duration = Duration::from_secs(86_400);
/// Time from the start to the first look: machines start before their network.
pub const ANCHOR_FIRST_LOOK: Duration = Duration::from_secs(60);

// Denial of existence, checked.

/// Labels of names that are hashed to compress one message; later names are written in full. The largest honest message
/// has half as many; 4000 names of 120 labels took 3 ms (measured).
pub const COMPRESSION_LABELS: usize = 64 * 1024;

// Aggressive use of denials (RFC 8198).

/// Octets of validated NSEC and NSEC3 RRsets, SOA RRsets and wildcard data. A span takes about half a KiB, so these are those
/// of 60,000 names.
pub const CACHE_DENIALS_OCTETS: usize = 32 << 20;
/// Octets of them of one zone. Who signs on the fly makes a new span for each question (RFC 4470); that may cost others no
/// more than a part.
pub const CACHE_DENIALS_ZONE_OCTETS: usize = 8 << 20;
/// Zones of which there are any. Most have a handful.
pub const CACHE_DENIALS_ZONES: usize = 16 * 1024;
/// Iterations of NSEC3 with which a denial is made while others wait for their turn. RFC 9276 3.1 wants 0, and of the zones
/// that have more most have no more than these; with them a name of three labels takes a few microseconds.
pub const DENIAL_ITERATIONS_AT_ONCE: u16 = 10;
/// Blocks of SHA-1 for a denial that is made or checked so: five names at the most iterations, with a salt that is no longer than usual
/// (8 octets). They take about 20 us.
pub const DENIAL_BLOCKS_AT_ONCE: usize = 128;
/// Ancestors of a name that are looked at for its closest encloser. Who asks for more labels has to wait.
pub const DENIAL_ENCLOSERS: usize = 32;

// Telling of trust anchors.

/// Time between two times a zone is told which of its keys are trusted here (RFC 8145 section 5). It
/// happens when the keys are fetched; those of the root live two days, those of others minutes.
pub const ANCHORS_TOLD_EVERY: Duration = Duration::from_secs(86_400);

/// Signatures of an RRset that are verified where the flight is, between two of its packets: an honest RRset has one, and to
/// wake a thread for it takes as much of the processor as the verification itself (measured: 30 us with RSA). Nobody who is
/// answered from zones or cache over UDP waits for that. More signatures have to go to the threads that give way.
pub const SIGNATURES_AT_ONCE: usize = 1;

/// Octets of a configuration file that are read at once in search of mistakes: what is read again for a mistake is no more
/// than that, however long the file, and one at most is larger.
pub const CONFIG_PIECE_OCTETS: usize = 4096;

/// Least time a delegation is kept whose DS RRset may be kept for less: as long as one query may take. Else each question that
/// validates the answer would find its way anew from the last zone that is remembered; with four zones below each other whose
/// DS RRsets had a TTL of 0 that took more referrals than one query is worth (measured), and 20 packets with this.
pub const DELEGATION_WITH_DS_LEAST: Duration = QUERY_TIMEOUT;
