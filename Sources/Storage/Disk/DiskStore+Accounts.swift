import Resource

extension DiskStore {
    /// The totals and metadata of an account. An account that has no container yet is an empty one.
    package func account(_ tenant: String) async throws -> AccountInfo {
        try Names.checkTenant(tenant)
        return try await BlockingWork.run {
            let record = try accountRecord(tenant)
            var info = AccountInfo(
                containerCount: 0, objectCount: 0, bytesUsed: 0, timestamp: record.timestamp, headers: record.headers)
            for name in try containerNames(tenant) {
                guard let container = try containerInfo(ContainerPath(tenant: tenant, container: name)) else {
                    continue
                }
                info.containerCount += 1
                info.objectCount += container.objectCount
                info.bytesUsed += container.bytesUsed
            }
            return info
        }
    }

    /// Changes the metadata that `headers` names; an empty value removes.
    package func updateAccount(_ tenant: String, headers: [String: String]) async throws {
        try Names.checkTenant(tenant)
        try await BlockingWork.run {
            try makeAccount(tenant)
            var record = try accountRecord(tenant)
            record.headers.apply(headers)
            let path = layout.accountRecord(tenant)
            try replaceRecord(record, at: path, in: layout.account(tenant), operation: "changing the account")
        }
    }

    /// The account's containers in the order of their names, with their totals.
    package func containers(_ tenant: String, query: ListQuery = ListQuery()) async throws -> [ContainerInfo] {
        try Names.checkTenant(tenant)
        return try await BlockingWork.run {
            let names = try containerNames(tenant).filter { name in
                name.utf8.starts(with: query.prefix.utf8) && Names.precedes(query.marker.utf8, name.utf8)
                    && (query.endMarker.isEmpty || Names.precedes(name.utf8, query.endMarker.utf8))
            }
            return try names.prefix(max(0, query.limit)).compactMap {
                try containerInfo(ContainerPath(tenant: tenant, container: $0))
            }
        }
    }

    func makeAccount(_ tenant: String) throws {
        let operation = "making the account"
        guard try Files.makeFolder(layout.account(tenant), operation: operation) else {
            try Files.makeFolder(layout.containers(tenant), operation: operation)
            return
        }
        try Files.makeFolder(layout.containers(tenant), operation: operation)
        let record = AccountRecord(timestamp: clock())
        try replaceRecord(
            record, at: layout.accountRecord(tenant), in: layout.account(tenant), operation: operation)
        if isDurable { try Files.syncFolder(layout.accounts, operation: operation) }
    }

    private func accountRecord(_ tenant: String) throws -> AccountRecord {
        try RecordFile.read(layout.accountRecord(tenant), as: AccountRecord.self) ?? AccountRecord(timestamp: clock())
    }

    func containerNames(_ tenant: String) throws -> [String] {
        try Files.entries(of: layout.containers(tenant), orEmptyIfMissing: true)
            .compactMap { entry in
                guard entry.bytes.first == UInt8(ascii: "c") else { return nil }
                return String(validating: entry.bytes.dropFirst(), as: UTF8.self)
            }
            .sorted { Names.precedes($0.utf8, $1.utf8) }
    }
}

extension [String: String] {
    /// Sets what `changes` names; an empty value removes.
    mutating func apply(_ changes: [String: String]) {
        for (name, value) in changes { self[name] = value.isEmpty ? nil : value }
    }
}
