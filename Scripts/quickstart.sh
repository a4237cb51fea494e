#!/usr/bin/env bash
# From an empty machine to a finished training: starts a server if none runs, trains examples/iris with PyTorch on two
# nodes, and says where everything is.
set -euo pipefail
cd "$(dirname "$0")/.."
takumi=${1:-bin/takumi}
home=${TAKUMI_HOME:-$HOME/.takumi}
export TAKUMI_HOME=$home

free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

if "$takumi" flavor list >/dev/null 2>&1; then
    echo "== A server already runs for $home"
else
    mkdir -p "$home" && chmod 700 "$home"
    ports=()
    free 8400 && free 8443 || ports=(--port 0 --tls-port 0)
    echo "== Starting the server (log: $home/server.log)"
    setsid "$takumi" serve "${ports[@]}" >"$home/server.log" 2>&1 </dev/null &
    for _ in $(seq 100); do
        grep -q '^Takumi is ready' "$home/server.log" 2>/dev/null && break
        kill -0 $! 2>/dev/null || { cat "$home/server.log" >&2; exit 1; }
        sleep 0.1
    done
    cat "$home/server.log"
fi

name="quickstart-$(date +%H%M%S)"
echo
echo "== Training examples/iris on two nodes (the first run installs PyTorch, which takes a minute or two)"
"$takumi" run examples/iris/train.py --name "$name" --image pytorch --instance m2.c1m2 --nodes 2 --torchrun --nproc 1 \
    --data train=examples/iris/data/train --data test=examples/iris/data/test --hp epochs=10 --hp lr=0.05 \
    --experiment quickstart

echo
echo "== Its last metrics"
"$takumi" training logs "$name" --tail 40 | grep -E ' = ' | tail -3
echo
echo "== Where to look"
echo "  model files   $takumi storage ls easymaker/runs/$name/model/"
"$takumi" storage ls "easymaker/runs/$name/model/" | sed 's/^/    /'
echo "  log           $takumi training logs $name"
echo "  the console   $("$takumi" login)   (a link that logs in once)"
echo "  TensorBoard   $("$takumi" training open "$name" 2>/dev/null)   (or from the training's page)"
pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$home/server.json")
echo "  the server    runs with process id $pid; end it with: kill $pid"
