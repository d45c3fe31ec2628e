# make test is what .ci/run runs; on a fresh Debian machine, as root, it installs what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.PHONY: build demo test bench lint

build: ## one static binary for each command, into bin/
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

demo: ## simulated CRM, daily-report database, scores: everything on this machine
	go run ./cmd/energyd demo

# SQLite is C turned into Go: the race detector sees nothing in it and makes it three times slower.
UNWATCHED := modernc.org/...=-race=false -d=checkptr=0

test: ## all tests with the race detector, on real database servers; a skipped test is a failure
	./scripts/servers
	./scripts/node
	go test -race -gcflags='$(UNWATCHED)' -timeout 20m -json ./... | go run ./scripts/testlog

bench: ## all benchmarks, once each
	./scripts/servers
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./...

lint:
	@unformatted=$$(gofmt -l .); if [[ -n $$unformatted ]]; then echo "not in gofmt's form: $$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
