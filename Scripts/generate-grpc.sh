#!/usr/bin/env bash
# Makes Sources/ModelServerGRPC/Generated from inference.proto: needs protoc (Debian: protobuf-compiler) and builds its two
# plugins from the packages, in a folder of its own. Run when the protocol changes, and commit what it makes: as part of
# every build this would take minutes (ADR 0019).
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-.build-protoc}
mkdir -p "$work/Sources/plugins"
cat >"$work/Package.swift" <<'SWIFT'
// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "plugins", platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .executableTarget(
            name: "plugins", dependencies: [.product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")])
    ])
SWIFT
echo 'print("")' >"$work/Sources/plugins/main.swift"
for plugin in protoc-gen-swift protoc-gen-grpc-swift-2; do swift build --package-path "$work" --product "$plugin"; done
target=Sources/ModelServerGRPC/Generated
mkdir -p "$target"
PATH="$work/.build/debug:$PATH" protoc --proto_path=Sources/ModelServerGRPC inference.proto \
    --swift_out="$target" --grpc-swift-2_out="$target" --grpc-swift-2_opt=Client=false
