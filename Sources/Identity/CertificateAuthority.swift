import Crypto
import Foundation
import Resource
import SwiftASN1
import X509

/// The home's own certificate authority and the server's certificate, made at the first start.
///
/// Clients trust `ca.pem` (`REQUESTS_CA_BUNDLE`). The authority's key stays in the home, readable by its owner only.
package struct CertificateAuthority {
    package let caPath: String
    package let certificatePath: String
    package let keyPath: String

    /// Makes what is missing, expires within 30 days, or does not name all hosts.
    package init(home: String, hosts: [String]) throws {
        let folder = "\(home)/tls"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        caPath = "\(home)/ca.pem"
        certificatePath = "\(folder)/server.pem"
        keyPath = "\(folder)/server-key.pem"
        let (authority, authorityKey) = try CertificateAuthority.authority(at: caPath, key: "\(folder)/ca-key.pem")

        let wanted = Set(hosts).sorted().joined(separator: "\n")
        let hostsPath = "\(folder)/hosts"
        if (try? String(contentsOfFile: hostsPath, encoding: .utf8)) == wanted,
            let current = CertificateAuthority.certificate(at: certificatePath), current.issuer == authority.subject,
            current.notValidAfter > Date().addingTimeInterval(30 * 24 * 3600),
            FileManager.default.fileExists(atPath: keyPath)
        {
            return
        }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: Date().addingTimeInterval(-3600), notValidAfter: Date().addingTimeInterval(820 * 24 * 3600),
            issuer: authority.subject, subject: DistinguishedName { CommonName("Takumi server") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                KeyUsage(digitalSignature: true)
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(Set(hosts).sorted().map(CertificateAuthority.name))
                AuthorityKeyIdentifier(keyIdentifier: CertificateAuthority.identifier(authorityKey.publicKey))
            }, issuerPrivateKey: authorityKey)
        try CertificateAuthority.write(key.serializeAsPEM().pemString, to: keyPath, secret: true)
        try CertificateAuthority.write(certificate.serializeAsPEM().pemString, to: certificatePath, secret: false)
        try CertificateAuthority.write(wanted, to: hostsPath, secret: false)
    }

    private static func authority(at path: String, key keyPath: String) throws -> (Certificate, Certificate.PrivateKey)
    {
        if let certificate = certificate(at: path), certificate.notValidAfter > Date(),
            let pem = try? String(contentsOfFile: keyPath, encoding: .utf8)
        {
            return (certificate, try Certificate.PrivateKey(pemEncoded: pem))
        }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let name = try DistinguishedName {
            CommonName("Takumi local authority")
            OrganizationName("Takumi")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: Date().addingTimeInterval(-3600),
            notValidAfter: Date().addingTimeInterval(3650 * 24 * 3600),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(keyIdentifier: identifier(key.publicKey))
            }, issuerPrivateKey: key)
        try write(key.serializeAsPEM().pemString, to: keyPath, secret: true)
        try write(certificate.serializeAsPEM().pemString, to: path, secret: false)
        return (certificate, key)
    }

    private static func identifier(_ key: Certificate.PublicKey) -> ArraySlice<UInt8> {
        ArraySlice(Insecure.SHA1.hash(data: key.subjectPublicKeyInfoBytes))
    }

    private static func certificate(at path: String) -> Certificate? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { try? Certificate(pemEncoded: $0) }
    }

    private static func name(_ host: String) -> GeneralName {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, host, &v4) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &v4) { ArraySlice($0) }))
        }
        if inet_pton(AF_INET6, host, &v6) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &v6) { ArraySlice($0) }))
        }
        return .dnsName(host)
    }

    private static func write(_ text: String, to path: String, secret: Bool) throws {
        let temporary = "\(path).tmp"
        unlink(temporary)
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: secret ? 0o600 : 0o644]),
            rename(temporary, path) == 0
        else { throw TakumiError(.unavailable, "\(path) cannot be written") }
    }
}
