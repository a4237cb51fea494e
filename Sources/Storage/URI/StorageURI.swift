/// A place of data as a user names it: `obs://`, `nas://`, `s3://` or `file://`.
package enum StorageURI: Sendable, Hashable, CustomStringConvertible {
    /// `obs://host[:port]/v1/AUTH_{tenant}/{container}/{path}`; the path is empty for the whole container.
    case object(host: String, tenant: String, container: String, path: String)
    /// `nas://{id}:/{path}`; the path is empty for the whole share.
    case nas(id: String, path: String)
    /// `s3://bucket/key`
    case s3(bucket: String, key: String)
    /// `file:///path`; the path is absolute.
    case file(path: String)

    package var description: String {
        switch self {
        case .object(let host, let tenant, let container, let path):
            "obs://\(host)/v1/AUTH_\(tenant)/\(container)" + (path.isEmpty ? "" : "/\(path)")
        case .nas(let id, let path): "nas://\(id):/\(path)"
        case .s3(let bucket, let key): "s3://\(bucket)" + (key.isEmpty ? "" : "/\(key)")
        case .file(let path): "file://\(path)"
        }
    }

    /// The path inside the container, share, bucket or disk.
    package var path: String {
        switch self {
        case .object(_, _, _, let path), .nas(_, let path), .s3(_, let path), .file(let path): path
        }
    }
}
