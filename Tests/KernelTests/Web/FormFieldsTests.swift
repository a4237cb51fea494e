import Foundation
import Testing
import Web

@Suite struct FormFieldsTests {
    private func json(_ encoded: String, numbers: Set<String> = [], flags: Set<String> = []) throws -> NSDictionary {
        let data = FormFields(encoded: encoded).compacted().json(numbers: numbers, flags: flags)
        return try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
    }

    @Test func namesArePathsIntoTheRequest() throws {
        let found = try json(
            "trainingName=iris+1&list%5B0%5D.name=a%26b&list%5B0%5D.value=1&list%5B1%5D.name=%C3%A9&empty=+")
        #expect(
            found == [
                "trainingName": "iris 1", "list": [["name": "a&b", "value": "1"], ["name": "é"]],
            ])
    }

    @Test func rowsThatAreEmptyAreNotThere() throws {
        let fields = FormFields(encoded: "l[0].k=&l[0].v=&l[3].k=a&l[3].v=b&l[7].v=c")
        #expect(fields.compacted().pairs.map(\.name) == ["l[0].k", "l[0].v", "l[1].v"])
        #expect(fields.compacted().rowCount("l") == 2)
        #expect(try json("l[0].k=&l[9].k=a") == ["l": [["k": "a"]]])
    }

    @Test func someValuesKeepTheirWhiteSpace() {
        let fields = FormFields(encoded: "l[0].k=+a+&l[0].v=+b%0D%0Ac+&l[1].v=+")
        #expect(fields.compacted(verbatim: ["v"]).pairs.map(\.value) == ["a", " b\nc "])
    }

    @Test func numbersAndFlagsHaveTheirTypes() throws {
        let found = try json("n=3&m=x&on=true", numbers: ["n", "m"], flags: ["on", "off"])
        #expect(found == ["n": 3, "m": "x", "on": true, "off": false])
    }

    @Test func whoWantsTheServerToLoseItsWayIsNotFollowed() throws {
        let deep = Array(repeating: "a", count: 4000).joined(separator: ".")
        #expect(try json("\(deep)=1&ok=1") == ["ok": "1"])
        let rows = (0..<5000).map { "l[\($0)].k=x" }.joined(separator: "&")
        #expect(FormFields(encoded: rows).compacted().rowCount("l") == FormFields.mostRows)
    }

    @Test(arguments: [
        "a[999999].b=1", "a[99999999999].b=1", "a[0][1]=x", "[0].a=1", "a..b=1", "=", "&&", "%zz=%zz", "a[0].b=1&a=2",
    ])
    func strangeNamesDoNoHarm(encoded: String) throws {
        let data = FormFields(encoded: encoded).compacted().json(numbers: [], flags: [])
        #expect(data.count < 1000)
        #expect(try JSONSerialization.jsonObject(with: data) is NSDictionary)
    }
}

@Suite struct LanguageTests {
    @Test(arguments: [
        ("ja", Language.japanese), ("ja-JP,ja;q=0.9,en;q=0.8", .japanese), ("en-US,en;q=0.9,ja;q=0.1", .english),
        ("fr,ja;q=0.5", .japanese), ("en;q=0.1, ja;q=0.9", .japanese), ("ja;q=0, en", .english), ("", .english),
        ("jam", .english), ("*", .english), (";;q=,", .english),
    ])
    func theBestThatTheConsoleSpeaks(header: String, language: Language) {
        #expect(Language(accepting: header) == language)
    }
}
