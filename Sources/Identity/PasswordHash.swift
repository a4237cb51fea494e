import Crypto
import CryptoExtras
import Dispatch
import Foundation
import Resource
import Synchronization

/// A password as it is kept: scrypt's output and what it was made with, so that the cost can be raised later.
package struct PasswordHash: Codable, Sendable, Equatable {
    private var salt: Data
    private var key: Data
    private var rounds: Int
    private var blockSize: Int
    private var parallelism: Int

    /// 32 MiB and about a tenth of a second: dear for who guesses, cheap for who knows.
    private static let cost = (rounds: 1 << 15, blockSize: 8, parallelism: 1)
    /// One at a time, off Swift's cooperative threads: however many people log in, it takes the memory of one.
    private static let queue = DispatchQueue(label: "takumi.passwords")
    private static let waiting = Atomic(0)
    /// Who comes after so many would wait for longer than anybody does.
    private static let mostWaiting = 30

    /// Characters. The upper end keeps a hash from being a way to keep the server busy.
    package static let length = 10...256

    package static func make(_ password: String) async throws -> PasswordHash {
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        var hash = PasswordHash(
            salt: salt, key: Data(), rounds: cost.rounds, blockSize: cost.blockSize, parallelism: cost.parallelism)
        hash.key = try await hash.derived(from: password)
        return hash
    }

    package func matches(_ password: String) async throws -> Bool {
        let other = try await derived(from: password)
        // In constant time, since the hash of an attacker's guess is under the attacker's control.
        return zip(key, other).reduce(key.count ^ other.count) { $0 | Int($1.0 ^ $1.1) } == 0
    }

    /// What a log in for a user who does not exist costs, so that the time does not tell who exists.
    package static func waste(_ password: String) async throws {
        _ = try await make(password)
    }

    private func derived(from password: String) async throws -> Data {
        defer { PasswordHash.waiting.subtract(1, ordering: .relaxed) }
        guard PasswordHash.waiting.add(1, ordering: .relaxed).newValue <= PasswordHash.mostWaiting else {
            throw TakumiError(.unavailable, "too many people are logging in just now; try again in a few seconds")
        }
        return try await withCheckedThrowingContinuation { continuation in
            PasswordHash.queue.async {
                continuation.resume(
                    with: Result {
                        try KDF.Scrypt.deriveKey(
                            from: Data(password.utf8), salt: salt, outputByteCount: 32, rounds: rounds,
                            blockSize: blockSize, parallelism: parallelism
                        ).withUnsafeBytes { Data($0) }
                    })
            }
        }
    }
}
