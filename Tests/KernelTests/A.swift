import HummingbirdTesting
import Testing
@Test func a() { #expect(Bool(true)) }
