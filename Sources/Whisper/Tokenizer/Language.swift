/// A language that Whisper knows: the code of its token and its English name.
public struct Language: Sendable, Hashable {
    public let code: String
    public let name: String

    /// openai/whisper's languages in the order of their tokens; `yue` came with large-v3.
    static let published: [Language] = table.split(whereSeparator: \.isNewline).flatMap { line in
        line.split(separator: ",").map { entry in
            let parts = entry.split(separator: ":")
            return Language(code: parts[0].trimmed, name: parts[1].trimmed)
        }
    }

    /// The code that a user's word stands for: a code itself, an English name, or another name of the
    /// same language, in any case; nil where no language is meant.
    public static func code(for word: String) -> String? {
        let word = word.lowercased()
        if published.contains(where: { $0.code == word }) { return word }
        return published.first { $0.name == word }?.code ?? otherNames[word]
    }

    /// The English name of a code, or the code itself where it is none of the published ones.
    public static func name(of code: String) -> String {
        published.first { $0.code == code }?.name ?? code
    }

    private static let table = """
        en:english, zh:chinese, de:german, es:spanish, ru:russian, ko:korean, fr:french, ja:japanese, pt:portuguese
        tr:turkish, pl:polish, ca:catalan, nl:dutch, ar:arabic, sv:swedish, it:italian, id:indonesian, hi:hindi
        fi:finnish, vi:vietnamese, he:hebrew, uk:ukrainian, el:greek, ms:malay, cs:czech, ro:romanian, da:danish
        hu:hungarian, ta:tamil, no:norwegian, th:thai, ur:urdu, hr:croatian, bg:bulgarian, lt:lithuanian, la:latin
        mi:maori, ml:malayalam, cy:welsh, sk:slovak, te:telugu, fa:persian, lv:latvian, bn:bengali, sr:serbian
        az:azerbaijani, sl:slovenian, kn:kannada, et:estonian, mk:macedonian, br:breton, eu:basque, is:icelandic
        hy:armenian, ne:nepali, mn:mongolian, bs:bosnian, kk:kazakh, sq:albanian, sw:swahili, gl:galician, mr:marathi
        pa:punjabi, si:sinhala, km:khmer, sn:shona, yo:yoruba, so:somali, af:afrikaans, oc:occitan, ka:georgian
        be:belarusian, tg:tajik, sd:sindhi, gu:gujarati, am:amharic, yi:yiddish, lo:lao, uz:uzbek, fo:faroese
        ht:haitian creole, ps:pashto, tk:turkmen, nn:nynorsk, mt:maltese, sa:sanskrit, lb:luxembourgish, my:myanmar
        bo:tibetan, tl:tagalog, mg:malagasy, as:assamese, tt:tatar, haw:hawaiian, ln:lingala, ha:hausa, ba:bashkir
        jw:javanese, su:sundanese, yue:cantonese
        """

    private static let otherNames = [
        "burmese": "my", "valencian": "ca", "flemish": "nl", "haitian": "ht", "letzeburgesch": "lb",
        "pushto": "ps", "panjabi": "pa", "moldavian": "ro", "moldovan": "ro", "sinhalese": "si",
        "castilian": "es", "mandarin": "zh",
    ]
}

extension Substring {
    fileprivate var trimmed: String { String(drop(while: { $0 == " " })) }
}
