# make test is what .ci/run runs; on a fresh Debian machine, as root, it installs what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.PHONY: build demo test bench kills soak lint packages

build: ## one static binary for each command, into bin/
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

packages: ## deb and rpm for amd64 and arm64, into dist/
	./scripts/packages

demo: ## simulated CRM, daily-report database, scores: everything on this machine
	go run ./cmd/energyd demo

# SQLite is C turned into Go, and a YAML file is read by one goroutine: the race detector sees nothing in
# them and makes them some times slower.
UNWATCHED := modernc.org/...=-race=false -d=checkptr=0
UNWATCHED_YAML := go.yaml.in/yaml/...=-race=false

# Packages where neither code nor tests start a goroutine: their own tests run without the race detector, and
# it watches them in the tests of the others. internal/archtest holds the list; decisions/0079.
ALONE := ./engine/... ./mapping/... ./connectors/imap/message ./internal/explain ./internal/expression \
	./internal/fault ./internal/review/... ./internal/schedule ./internal/secret ./internal/wording ./internal/crmsim/soql ./scripts/...

# The whole program under faults: its processes, and much waiting. Its parts are watched in their own tests; decisions/0133.
WHOLE := ./internal/adversity

# What takes longest begins first, so that no core is idle at the end.
LONGEST := ./internal/pipeline ./cmd/energyd ./internal/store ./connectors/salesforce ./connectors/imap ./internal/crmsim

# Four tests of a package at a time, however few the cores: of those that may run together most wait, for pauses
# between attempts and for processes.
test: ## all tests, with the race detector where goroutines run, on real database servers; a skipped test is a failure
	./scripts/servers
	./scripts/node
	CGO_ENABLED=0 ./scripts/scratch go test -parallel 4 -timeout 20m -json $(WHOLE) $(ALONE) | CGO_ENABLED=0 go run ./scripts/testlog
	others=$$(go list $(LONGEST) ./... | grep -vxF "$$(go list $(WHOLE) $(ALONE))"); \
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 ./scripts/scratch go test -parallel 4 -race -gcflags='$(UNWATCHED)' -gcflags='$(UNWATCHED_YAML)' -timeout 20m -json $$others | CGO_ENABLED=0 go run ./scripts/testlog

bench: ## all benchmarks, once each; BENCH_EVENTS says how many contacts the large ones have
	./scripts/servers
	./scripts/node
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./...

KILLS ?= 200
kills: ## energyd is killed at KILLS random moments of pull, plan, apply and undo
	KILLS=$(KILLS) ./scripts/scratch go test -count=1 -v -timeout 60m -parallel 4 -run TestKill ./internal/adversity

SOAK_HOURS ?= 400
soak: ## the daemon on real servers whose connections break, for SOAK_HOURS simulated hours: some twenty in a minute
	./scripts/servers
	SOAK_HOURS=$(SOAK_HOURS) ./scripts/scratch go test -count=1 -v -timeout 120m -run TestSoak ./internal/adversity

# Windows once more, for the sake of the tests: .ci/run builds only the program for it.
lint:
	@unformatted=$$(gofmt -l .); if [[ -n $$unformatted ]]; then echo "not in gofmt's form: $$unformatted"; exit 1; fi
	go vet ./...
	GOOS=windows GOARCH=amd64 go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
