import Foundation
import Resource
import Storage
import Web
import Yams

/// `HOME/config.yaml`. Every key may be missing.
struct Configuration: Decodable, Sendable {
    /// What `EM_REGION` says.
    var region = "kr1"
    /// The address to listen on. Anything but loopback opens the server to the network.
    var host = "127.0.0.1"
    /// Further names of this machine, for the certificate and for `obs://` addresses.
    var names: [String] = []
    /// vCPUs handed out per core.
    var cpuOvercommit = 4.0
    /// Memory kept back for the system, in MiB.
    var memoryReserveMiB = 1024
    /// Where image environments are kept; nil for `HOME/environments`.
    var environments: String?
    /// Minutes without a look after which a TensorBoard is stopped.
    var tensorBoardIdleMinutes = 15
    /// Minutes without a run after which a warm image ends.
    var warmIdleMinutes = 15
    /// What warm images may hold together while nobody uses them, in MiB; 0 for none: every run starts cold.
    var warmMemoryMiB = 1024
    var storage = StorageConfiguration()

    private enum Key: String, CodingKey, CaseIterable {
        case region, host, names, cpuOvercommit, memoryReserveMiB, environments, tensorBoardIdleMinutes
        case warmIdleMinutes, warmMemoryMiB, storage
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        func value<T: Decodable>(_ key: Key, _ fallback: T) throws -> T {
            try container.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        region = try value(.region, region)
        host = try value(.host, host)
        names = try value(.names, names)
        cpuOvercommit = try value(.cpuOvercommit, cpuOvercommit)
        memoryReserveMiB = try value(.memoryReserveMiB, memoryReserveMiB)
        environments = try container.decodeIfPresent(String.self, forKey: .environments)
        tensorBoardIdleMinutes = try value(.tensorBoardIdleMinutes, tensorBoardIdleMinutes)
        warmIdleMinutes = try value(.warmIdleMinutes, warmIdleMinutes)
        warmMemoryMiB = try value(.warmMemoryMiB, warmMemoryMiB)
        storage = try value(.storage, storage)
    }

    /// - Throws: with the file, the place and the reason where it is not what it should be.
    static func load(home: Home) throws -> Configuration {
        let path = "\(home.path)/config.yaml"
        guard let data = FileManager.default.contents(atPath: path), !data.allSatisfy({ $0 <= 0x20 }) else {
            return Configuration()
        }
        do {
            if let unknown = try unknownKey(in: String(decoding: data, as: UTF8.self)) {
                throw TakumiError(
                    .invalid, "'\(unknown)' is not a key; use \(Key.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            let configuration = try YAMLDecoder().decode(Configuration.self, from: data)
            try configuration.check()
            return configuration
        } catch let error as TakumiError {
            throw TakumiError(.invalid, "\(path): \(error.line)")
        } catch let error as DecodingError {
            throw TakumiError(.invalid, "\(path): \(DecodingProblem.explained(error).line)")
        } catch {
            throw TakumiError(.invalid, "\(path): \(error)")
        }
    }

    private func check() throws {
        var validator = Validator()
        validator.require(cpuOvercommit > 0, "cpuOvercommit", "\(cpuOvercommit) must be above 0")
        validator.require(memoryReserveMiB >= 0, "memoryReserveMiB", "\(memoryReserveMiB) must not be below 0")
        validator.require(
            tensorBoardIdleMinutes > 0, "tensorBoardIdleMinutes", "\(tensorBoardIdleMinutes) must be above 0")
        validator.require(warmIdleMinutes > 0, "warmIdleMinutes", "\(warmIdleMinutes) must be above 0")
        validator.require(warmMemoryMiB >= 0, "warmMemoryMiB", "\(warmMemoryMiB) must not be below 0")
        if let problem = validator.problems.first { throw problem }
    }

    private static func unknownKey(in text: String) throws -> String? {
        guard let node = try Yams.compose(yaml: text), let mapping = node.mapping else { return nil }
        return mapping.keys.compactMap(\.string).first { Key(rawValue: $0) == nil }
    }
}
