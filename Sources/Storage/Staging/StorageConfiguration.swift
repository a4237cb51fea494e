/// Which storage there is besides the embedded store. Comes from the server's configuration, and goes to agents as JSON.
package struct StorageConfiguration: Sendable, Codable, Equatable {
    /// A mounted directory that `nas://{id}:/…` stands for.
    package struct NAS: Sendable, Codable, Equatable {
        package var path: String
        /// The app keys that may use it; nil for all.
        package var projects: [String]?

        package init(path: String, projects: [String]? = nil) {
            self.path = path
            self.projects = projects
        }
    }

    package enum AuthKind: String, Sendable, Codable {
        case keystone2, tempauth
    }

    /// An OpenStack Swift that `obs://{host}/…` stands for, and the account that the service uses there.
    package struct ObjectServer: Sendable, Codable, Equatable {
        /// As in the URI: with the port, where that is not 443.
        package var host: String
        package var authKind: AuthKind
        /// Keystone's `https://…/v2.0`, or tempauth's `https://…/auth/v1.0`.
        package var authURL: String
        package var tenant: String
        package var user: String
        package var password: String
        /// PEM certificates to trust besides the system's.
        package var caFile: String?
        /// Speak plain HTTP to it. Only for a host reached by a trusted network.
        package var allowsHTTP: Bool?

        package init(
            host: String, authKind: AuthKind, authURL: String, tenant: String, user: String, password: String,
            caFile: String? = nil, allowsHTTP: Bool? = nil
        ) {
            self.host = host
            self.authKind = authKind
            self.authURL = authURL
            self.tenant = tenant
            self.user = user
            self.password = password
            self.caFile = caFile
            self.allowsHTTP = allowsHTTP
        }
    }

    /// By NAS id.
    package var nas: [String: NAS]
    package var swift: [ObjectServer]
    /// Whether `file://` may be used. It reaches every file that the server can read.
    package var allowFile: Bool

    package init(nas: [String: NAS] = [:], swift: [ObjectServer] = [], allowFile: Bool = false) {
        self.nas = nas
        self.swift = swift
        self.allowFile = allowFile
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        nas = try container.decodeIfPresent([String: NAS].self, forKey: .nas) ?? [:]
        swift = try container.decodeIfPresent([ObjectServer].self, forKey: .swift) ?? []
        allowFile = try container.decodeIfPresent(Bool.self, forKey: .allowFile) ?? false
    }

    package func server(_ host: String) -> ObjectServer? { swift.first { $0.host.lowercased() == host.lowercased() } }
}
