//! `/metrics`: the node's figures, as OpenMetrics text.
//!
//! *Invariants.* Names and counts alone, no content: no token is needed. Figures of the node are taken
//! when they are asked for; only requests are counted here. A peer's label is its short name.
//!
//! *Source*: ours; OpenMetrics 1.0.

use std::fmt;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{
    api::Api,
    health::{Readiness, readiness},
    problem::Problem,
};
use crate::{
    home::free_bytes,
    view::{FeedLine, PeerLine, Status},
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels<const N: usize> = [(&'static str, String); N];
type Gauges<const N: usize> = Family<Labels<N>, Gauge>;
/// Name, help, and how it is read off a feed.
type Figure = (&'static str, &'static str, fn(&FeedLine) -> i64);
type Counters = Family<Labels<1>, Counter>;

/// Requests since the start, by route and status.
#[derive(Default)]
pub(super) struct Counts(Family<Labels<2>, Counter>);

impl fmt::Debug for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Counts")
    }
}

impl Counts {
    pub(super) fn add(&self, route: &str, status: u16) {
        let labels = [("route", route.to_owned()), ("status", status.to_string())];
        self.0.get_or_create(&labels).inc();
    }
}

pub(super) async fn figures(State(api): State<Api>) -> Result<Response, Problem> {
    let (readiness, status) = readiness(&api).await;
    let mut registry = Registry::with_prefix("concordat");
    of_readiness(&mut registry, &readiness);
    if let Ok(free) = free_bytes(api.home().directory()) {
        gauge(&mut registry, "disk_free", "Free where the store is", Some(Unit::Bytes), free);
    }
    if let Some(status) = &status {
        of_node(&mut registry, status);
        of_boards(&mut registry, status);
        of_peers(&mut registry, &status.peers);
    }
    let help = "Requests to the API since the start";
    registry.register("http_requests", help, api.counts().0.clone());
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|why| Problem::new("metrics", why.to_string()))?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// Gauges hold signed numbers; nothing here comes near their end.
fn signed(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

fn gauge(
    registry: &mut Registry,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    value: impl TryInto<i64>,
) {
    let gauge = Gauge::<i64>::default();
    gauge.set(signed(value));
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, gauge),
        None => registry.register(name, help, gauge),
    }
}

fn of_readiness(registry: &mut Registry, readiness: &Readiness) {
    let checks = Gauges::<1>::default();
    for check in &readiness.checks {
        checks.get_or_create(&[("check", check.name.to_owned())]).set(i64::from(check.is_ok));
    }
    registry.register("ready", "Whether a check of /readyz is well", checks);
}

fn of_node(registry: &mut Registry, status: &Status) {
    let version = Gauges::<1>::default();
    version.get_or_create(&[("version", status.version.clone())]).set(1);
    registry.register("version", "Of the program, always 1", version);
    let bytes = Some(Unit::Bytes);
    gauge(registry, "store_disk", "Of the store on disk", bytes.clone(), status.store_bytes);
    gauge(registry, "store_keys", "Keys in the store", None, status.store_entries);
    let writer = status.writer.unwrap_or_default();
    gauge(registry, "writer_waiting", "Not durable yet", bytes, writer.waiting_bytes);
    if let Some(strangers) = status.strangers {
        let turned_away = Counter::<u64>::default();
        turned_away.inc_by(strangers);
        let help = "Attempts to connect with keys that are on no card, since the start";
        registry.register("strangers", help, turned_away);
    }
    if let Some(ahead) = status.clock.ahead_ms {
        let help = "By how many milliseconds the clock is ahead of the median of the peers'";
        gauge(registry, "clock_ahead_milliseconds", help, None, ahead);
    }
}

fn of_boards(registry: &mut Registry, status: &Status) {
    let drafts = Gauges::<1>::default();
    for board in &status.boards {
        let label = [("board", board.board.clone())];
        drafts.get_or_create(&label).set(signed(board.drafts));
    }
    registry.register("drafts", "Entries that wait to be signed", drafts);
    let figures: [Figure; 5] = [
        ("feed_entries", "Entries held of a feed", |feed| signed(feed.size)),
        ("feed_durable", "Entries of a feed that are durable here", |feed| signed(feed.durable)),
        ("feed_settled", "Entries of a feed that are settled", |feed| signed(feed.settled)),
        ("feed_payloads_missing", "Payloads due and not here", |feed| signed(feed.missing)),
        ("feed_forked", "Whether two histories of a feed are known", |feed| {
            i64::from(feed.forked_at.is_some())
        }),
    ];
    for (name, help, figure) in figures {
        let feeds = Gauges::<3>::default();
        for (board, feed) in
            status.boards.iter().flat_map(|board| board.feeds.iter().map(move |feed| (board, feed)))
        {
            let labels = [
                ("board", board.board.clone()),
                ("member", feed.slug.clone()),
                ("epoch", feed.epoch.to_string()),
            ];
            feeds.get_or_create(&labels).set(figure(feed));
        }
        registry.register(name, help, feeds);
    }
}

fn of_peers(registry: &mut Registry, peers: &[PeerLine]) {
    let (connected, queued) = (Gauges::<1>::default(), Gauges::<1>::default());
    let ages = Gauges::<1>::default();
    let (sent, received) = (Counters::default(), Counters::default());
    for peer in peers {
        let label = [("peer", peer.slug.clone())];
        connected.get_or_create(&label).set(i64::from(peer.is_connected));
        // Who was never met has no figure, so that an alert can ask for its absence.
        if let Some(age) = peer.contact_age_s {
            ages.get_or_create(&label).set(signed(age));
        }
        queued.get_or_create(&label).set(signed(peer.queued_bytes));
        sent.get_or_create(&label).inc_by(peer.sent_bytes);
        received.get_or_create(&label).inc_by(peer.received_bytes);
    }
    registry.register("peer_connected", "Whether a partner's node is connected", connected);
    let help =
        "Seconds since a partner's node was last connected, restarts included; 0 while it is";
    registry.register("peer_seconds_since_contact", help, ages);
    registry.register_with_unit("peer_queued", "Waits to be sent", Unit::Bytes, queued);
    registry.register_with_unit("peer_sent", "Sent since the start", Unit::Bytes, sent);
    registry.register_with_unit("peer_received", "Received since the start", Unit::Bytes, received);
}
