import Testing

@testable import Storage

@Suite struct ListingTests {
    /// What a listing must be, written as plainly as possible.
    private func expected(_ names: [String], _ query: ListQuery) -> [String] {
        var found: [String] = []
        for name in names.sorted(by: { Names.precedes($0.utf8, $1.utf8) }) {
            guard name.utf8.starts(with: query.prefix.utf8), Names.precedes(query.marker.utf8, name.utf8) else {
                continue
            }
            if !query.endMarker.isEmpty && !Names.precedes(name.utf8, query.endMarker.utf8) { continue }
            var shown = name
            if !query.delimiter.isEmpty,
                let end = name.dropFirst(query.prefix.count).firstIndex(of: Character(query.delimiter))
            {
                shown = String(name[...end])
                if shown == found.last || shown == query.marker { continue }
            }
            found.append(shown)
        }
        return Array(found.prefix(query.limit))
    }

    @Test func agreesWithThePlainReading() async throws {
        try await withStore { store, container in
            var generator = SeededGenerator(seed: 20_260_101)
            let alphabet = Array("ab/!0~")
            var names: Set<String> = [
                "a", "a/", "a//", "a/b", "a!", "a0", "/", "//a", "b/" + String(repeating: "l", count: 300),
            ]
            while names.count < 250 {
                let length = Int.random(in: 1...7, using: &generator)
                names.insert(String((0..<length).map { _ in alphabet.randomElement(using: &generator) ?? "a" }))
            }
            names.insert("a/" + String(repeating: "m", count: 255) + "/x")
            for name in names { try await store.put(container.object(name), text: "") }
            let candidates = [""] + Array(names).sorted().prefix(200) + ["a", "b", "a/", "zzz", "~", "0", "a/b/"]
            for round in 0..<150 {
                let query = ListQuery(
                    prefix: round % 3 == 0 ? "" : String((candidates.randomElement(using: &generator) ?? "").prefix(3)),
                    marker: round % 2 == 0 ? "" : candidates.randomElement(using: &generator) ?? "",
                    endMarker: round % 5 == 0 ? candidates.randomElement(using: &generator) ?? "" : "",
                    delimiter: ["", "/", "a"].randomElement(using: &generator) ?? "",
                    limit: [1, 3, 10, 10000].randomElement(using: &generator) ?? 1)
                let listed = try await store.names(container, query)
                #expect(listed == expected(Array(names), query), "\(query)")
            }
        }
    }

    @Test func pagesThroughFiveThousand() async throws {
        try await withStore { store, container in
            let names = (0..<5000).map { "data/\($0 % 7)/file-\($0.padded(5))" }
            await withTaskGroup(of: Void.self) { group in
                for part in 0..<4 {
                    group.addTask {
                        for index in stride(from: part, to: names.count, by: 4) {
                            _ = try? await store.put(container.object(names[index]), text: "\(index)")
                        }
                    }
                }
            }
            for delimiter in ["", "/"] {
                var found: [String] = []
                while true {
                    let page = try await store.names(
                        container,
                        ListQuery(prefix: "data/", marker: found.last ?? "", delimiter: delimiter, limit: 1000))
                    if page.isEmpty { break }
                    found += page
                }
                #expect(found == (delimiter.isEmpty ? names.sorted() : (0..<7).map { "data/\($0)/" }))
            }
            let info = try #require(try await store.container(container))
            #expect(info.objectCount == 5000)
            #expect(info.bytesUsed == (0..<5000).reduce(0) { $0 + Int64(String($1).count) })
            let entries = try await store.list(container, ListQuery(prefix: "data/3/", limit: 2))
            #expect(entries.map(\.name) == ["data/3/file-00003", "data/3/file-00010"])
            guard case .object(let object) = entries[0] else { throw Pieces.Vanished() }
            #expect(object.size == 1)
        }
    }

    @Test func seesWhatAnotherProcessDid() async throws {
        try await withStore { store, container in
            let other = try DiskStore(root: store.root, isDurable: false)
            for round in 0..<200 {
                try await other.put(container.object("n\(round)"), text: "x")
                #expect(try await store.names(container).count == round + 1)
                #expect(try await store.container(container)?.objectCount == round + 1)
            }
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await store.names(container).count == 200)
            try await other.deleteObject(container.object("n7"))
            try await other.put(container.object("n8"), text: "xyz")
            #expect(try await store.names(container).count == 199)
            #expect(try await store.container(container)?.bytesUsed == 201)
        }
    }
}

/// SplitMix64, so that a failing round can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
