#!/usr/bin/env bash
# From an empty machine to a model that answers: starts a server if none runs, trains examples/iris with PyTorch on two
# nodes, registers what it has learned as a model, deploys it to an endpoint, asks it, and says where everything is.
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
echo "== Registering the model, and deploying it (the first time installs what serves PyTorch)"
"$takumi" model create "$name" --training "$name" --wait
"$takumi" endpoint create "$name" --model "$name,cpu=0.5,memory=1Gi" --instance m2.c2m4

echo
echo "== Asking it about three flowers (the largest of each three numbers tells setosa, versicolor or virginica)"
"$takumi" endpoint predict "$name" '{"instances": [[5.1, 3.5, 1.4, 0.2], [6.0, 2.9, 4.5, 1.5], [6.7, 3.1, 5.6, 2.4]]}'

echo
echo "== Where to look"
echo "  model files   $takumi storage ls easymaker/runs/$name/model/"
"$takumi" storage ls "easymaker/runs/$name/model/" | sed 's/^/    /'
echo "  ask again     $takumi endpoint predict $name '[[5.1, 3.5, 1.4, 0.2]]'"
echo "  let it go     $takumi endpoint delete $name"
echo "  log           $takumi training logs $name"
echo "  the console   $("$takumi" login)   (a link that logs in once)"
echo "  TensorBoard   $("$takumi" training open "$name" 2>/dev/null)   (or from the training's page)"
pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$home/server.json")
echo "  the server    runs with process id $pid; end it with: kill $pid"
