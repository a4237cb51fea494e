import Testing

@testable import Gateway

struct RandomSourceTests {
    @Test func idsAreUUIDs() {
        var random = RandomSource()
        var ids: Set<String> = []
        var id: [UInt8] = []
        for _ in 0..<1000 {
            random.writeUUID(to: &id)
            ids.insert(String(decoding: id, as: UTF8.self))
        }
        #expect(ids.count == 1000)
        #expect(
            ids.allSatisfy {
                $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            })
    }

    @Test func refusalsHaveTwoForms() {
        let refusal = Refusal(status: 404, message: "no \"x\"", code: "model_not_found")
        #expect(refusal.body(openAI: false) == #"{"error":"no \"x\""}"#)
        #expect(
            refusal.body(openAI: true)
                == #"{"error":{"message":"no \"x\"","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#
        )
        #expect(
            Refusal.brokenOff("the program").body(openAI: true).contains(
                #""type":"server_error","param":null,"code":null"#))
    }
}
