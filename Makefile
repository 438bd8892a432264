# Each step is also a plain cargo or python3 command; this file only names them.

SEEDS ?= 2000
CARGO ?= cargo
PYTHON ?= python3

# With CI set, a warning is an error.
ifdef CI
export RUSTFLAGS ?= -D warnings
endif

.PHONY: demo test format lint unit doc reader sim bench fuzz fuzz-verdict corpus deny

NODES ?= 5

## demo: a whole partnership on this machine, until Ctrl-C; NODES is 5, 10 or 36
demo:
	$(CARGO) run --release -p concordat-node -- demo --nodes $(NODES)

## test: everything that must pass before a change lands
test: format lint unit doc reader

## format: layout of the code
format:
	$(CARGO) fmt --all --check

## lint: what clippy and the compiler warn of
lint:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

## unit: every test, simulated partnerships and real daemons among them
unit:
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace $(if $(CI),--profile ci); \
	else \
		$(CARGO) test --workspace --quiet; \
	fi
	$(CARGO) test --workspace --doc --quiet

## doc: the documentation builds, private items included
doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --quiet

## reader: the second reader, written from the specification alone, agrees
reader:
	$(PYTHON) -m unittest discover -s integration-tests/spec-reader -v

## sim: simulated partnerships by the thousand, each seed twice
sim:
	$(CARGO) run --release -p concordat-integration-tests --bin sim -- --seeds $(SEEDS)

## fuzz-verdict: 120,000 mutated changes and 6,000 wild histories, beside the real Automerge
fuzz-verdict:
	$(CARGO) run --release -p concordat-integration-tests --bin verdict_fuzz

## corpus: honest changes by the Automerge that browsers run, made anew (needs npm and the network)
corpus:
	cd integration-tests/js && npm ci --no-audit --no-fund && npm run --silent corpus >corpus.txt

## bench: what things cost, beside what the machine allows
bench:
	$(CARGO) bench -p concordat-protocol --bench core
	$(CARGO) bench -p concordat-protocol --bench documents
	$(CARGO) bench -p concordat-integration-tests --bench verdict
	$(CARGO) bench -p concordat-integration-tests --bench replica
	$(CARGO) bench -p concordat-node --bench store
	$(CARGO) bench -p concordat-node --bench daemons
	$(CARGO) bench -p concordat-node --bench artefacts

## deny: licences, sources and advisories (needs cargo-deny and the network)
deny:
	$(CARGO) deny check
