#!/bin/sh
# What `make test` does: every test, then the coverage of the pure rooms with compilation off.
# Says plainly what it left out and how to get it. With CI=true nothing may be left out.
set -u
PYTHON=${PYTHON:-.venv/bin/python}
left_out=""

find_chromium() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && command -v "$name" && return 0
    done
    return 1
}

if ! CHROMIUM=$(find_chromium); then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing Chromium for the browser tests ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1
    fi
    CHROMIUM=$(find_chromium) || {
        CHROMIUM=""
        left_out="$left_out
  browser tests: no Chromium found. As root on Debian: apt-get install chromium. Elsewhere: CHROMIUM=/path/to/chromium make test"
    }
fi
export CHROMIUM
find_postgresql() {
    [ -n "${POSTGRESQL:-}" ] && [ -x "$POSTGRESQL/initdb" ] && return 0
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1
}

without_postgresql=""
if ! find_postgresql; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing PostgreSQL for the tests of the state store ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1
    fi
    find_postgresql || {
        without_postgresql=yes
        left_out="$left_out
  the state store in PostgreSQL: not installed. As root on Debian: apt-get install postgresql. Elsewhere: POSTGRESQL=/path/to/bin make test"
    }
fi
AXE=${AXE:-.venv/axe/node_modules/axe-core/axe.min.js}
if [ ! -f "$AXE" ] && command -v npm >/dev/null 2>&1; then
    npm install --no-save --silent --prefix .venv/axe axe-core@4 >/dev/null 2>&1
fi
if [ -f "$AXE" ]; then
    AXE=$(cd "$(dirname "$AXE")" && pwd)/axe.min.js
    export AXE
else
    unset AXE
    left_out="$left_out
  accessibility checked by axe: install Node.js with npm, or AXE=/path/to/axe.min.js make test"
fi

CLIENTS=.venv/clients
without_clients=""
if command -v npm >/dev/null 2>&1 && ! cmp -s tests/clients/node/package-lock.json "$CLIENTS/installed-lock.json"; then
    echo "Installing the JavaScript clients that the collector is tested with ..."
    mkdir -p "$CLIENTS" && cp tests/clients/node/package.json tests/clients/node/package-lock.json "$CLIENTS/" &&
        (cd "$CLIENTS" && npm ci --ignore-scripts --no-audit --no-fund --silent >/dev/null 2>&1) &&
        cp tests/clients/node/package-lock.json "$CLIENTS/installed-lock.json"
fi
if ! command -v node >/dev/null 2>&1 || ! cmp -s tests/clients/node/package-lock.json "$CLIENTS/installed-lock.json"; then
    without_clients=yes
    left_out="$left_out
  the JavaScript clients of Segment, RudderStack and PostHog: install Node.js with npm"
fi

if ! command -v dovecot >/dev/null 2>&1 && [ ! -x /usr/sbin/dovecot ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing Dovecot for the mailbox tests ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends dovecot-imapd; } >/dev/null 2>&1
    fi
    [ -x /usr/sbin/dovecot ] || left_out="$left_out
  letters fetched from a real mailbox: no Dovecot. As root on Debian: apt-get install dovecot-imapd"
fi

[ -d "${DESIRELINE_DATA:-../shared/data}" ] || left_out="$left_out
  tests on public data sets: ../shared/data is not there (docs/explanation/real-data.md says which files they read)"

"$PYTHON" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("retentioneering") is None)' || left_out="$left_out
  transitions and funnel compared with Retentioneering: make .venv/installed-bench"

echo "Compiling kernels ..."
"$PYTHON" -m desireline.project.warm || exit 1

echo "Tests ..."
"$PYTHON" -m pytest -n "${WORKERS:-2}" --dist loadfile --durations=8 || exit 1

echo "Coverage of the pure rooms, kernels not compiled ..."
PURE="tests/test_vocabulary.py tests/intake tests/journeys tests/measures tests/outreach tests/people tests/promises tests/stories tests/world"
NUMBA_DISABLE_JIT=1 "$PYTHON" -m pytest $PURE -n "${WORKERS:-2}" --dist loadfile -m "not long and not browser and not real_data" \
    --cov --cov-config=pyproject.toml --cov-report= >/tmp/desireline-coverage.$$ 2>&1 || { cat /tmp/desireline-coverage.$$; exit 1; }
rm -f /tmp/desireline-coverage.$$
"$PYTHON" -m coverage report --fail-under=90 --skip-covered \
    --include='*/vocabulary/*,*/journeys/*,*/measures/*,*/promises/*,*/people/*,*/world/*,*/intake/*,*/outreach/*' || exit 1

if [ -n "$left_out" ]; then
    echo "Left out:$left_out"
    [ "${CI:-}" = true ] && { [ -z "$CHROMIUM" ] || [ -z "${AXE:-}" ] || [ -n "$without_clients" ] || [ -n "$without_postgresql" ]; } && exit 1
fi
exit 0
