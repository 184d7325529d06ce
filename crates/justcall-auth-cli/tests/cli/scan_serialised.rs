//! `scan` in serialised forms, in which syntax separates the name from the value.

use crate::scan::{folder, found, run_in};

const KEY: &str = "1b7e0c94d25a8f3361c9e07b4d82f6a05ce93b18";
const SECRET: &str = "c05b9e27f1a84d63e8b2075ad91c46f37e0ab2d9";
const SHA: &str = "5d0e9c3b7a1f48261e7c0d94b85fa2360c9d71e4";

/// Texts with a secret `@S@`, possibly its key `@K@`, and another value `@H@`.
const LEAKS: &[&str] = &[
    // XML.
    "<justcallApiSecret>@S@</justcallApiSecret>",
    "<config><JustCallApiSecret type=\"string\" encrypted=\"no\">@S@</JustCallApiSecret></config>",
    "<jc:apiSecret xmlns:jc=\"urn:justcall\">@S@</jc:apiSecret>",
    "<justcall><apiKey>@K@</apiKey><apiSecret>@S@</apiSecret></justcall>",
    "<justcall>\n  <secret>\n    @S@\n  </secret>\n</justcall>",
    "<justcall-api-secret><![CDATA[@S@]]></justcall-api-secret>",
    "<entry key=\"justcall.api.secret\">@S@</entry>",
    "<add key=\"JustCallApiSecret\" value=\"@S@\"/>",
    "<add value=\"@S@\" key=\"JustCallApiSecret\"/>",
    "<justcall secret=\"@S@\"/>",
    "<setting name=\"JustCallApiSecret\" serializeAs=\"String\"><value>@S@</value></setting>",
    "<property><name>justcall.api.secret</name><value>@S@</value></property>",
    "<bean id=\"justcall\"><property name=\"apiSecret\" value='@S@' /></bean>",
    "<string name=\"justcall_api_secret\">@S@</string>",
    "<dict>\n\t<key>JustCallApiSecret</key>\n\t<string>@S@</string>\n</dict>",
    "<input type=\"hidden\" name=\"justcall_api_secret\" value=\"@S@\">",
    "<meta name=\"justcall-api-secret\" content=\"@S@\">",
    "<p>JustCall secret: <code class=\"copy\">@S@</code></p>",
    "<soap:Body><m:JustCallSecret xsi:type=\"xsd:string\">@S@</m:JustCallSecret></soap:Body>",
    "&lt;justcallApiSecret&gt;@S@&lt;/justcallApiSecret&gt;",
    "{\"xml\": \"\\u003cjustcallApiSecret\\u003e@S@\\u003c/justcallApiSecret\\u003e\"}",
    "{\"xml\": \"<key name=\\\"justcallApiSecret\\\">@S@<\\/key>\"}",
    // PHP.
    "a:2:{s:16:\"justcall_api_key\";s:40:\"@K@\";s:19:\"justcall_api_secret\";s:40:\"@S@\";}",
    "O:8:\"stdClass\":1:{s:19:\"justcall_api_secret\";s:40:\"@S@\";}",
    "a:1:{s:8:\\\"justcall\\\";a:1:{s:6:\\\"secret\\\";s:40:\\\"@S@\\\";}}",
    "array (\n  'justcall_api_secret' => '@S@',\n)",
    "array(1) {\n  [\"justcall_api_secret\"]=>\n  string(40) \"@S@\"\n}",
    "Array\n(\n    [justcall_api_secret] => @S@\n)",
    "define('JUSTCALL_API_SECRET', '@S@');",
    "update_option( 'justcall_api_secret', '@S@' );",
    // JSON, and JSON in something else.
    "{\"justcallApiSecret\":\"@S@\"}",
    "\"{\\\"justcall_api_secret\\\":\\\"@S@\\\"}\"",
    "\"{\\\\\\\"justcall_api_secret\\\\\\\":\\\\\\\"@S@\\\\\\\"}\"",
    "{\\u0022justcall_api_secret\\u0022:\\u0022@S@\\u0022}",
    "<div data-config=\"{&quot;justcallApiSecret&quot;:&quot;@S@&quot;}\">",
    "data-config='{&#34;justcallApiSecret&#34;:&#34;@S@&#34;}'",
    "state=%7B%22justcall_api_secret%22%3A%22@S@%22%7D",
    "[{\"name\":\"justcall_api_secret\",\"value\":\"@S@\"}]",
    "[{\"value\":\"@S@\",\"name\":\"justcall_api_secret\"}]",
    "[{\"value\":\"@K@\",\"name\":\"justcall_api_key\"},{\"value\":\"@S@\",\"name\":\"justcall_api_secret\"}]",
    "{\"justcall_api_secret\": {\"type\": \"string\", \"label\": \"shown to admins\", \"value\": \"@S@\"}}",
    "{\"log\":\"JUSTCALL_API_KEY=@K@\\nJUSTCALL_API_SECRET=@S@\\n\"}",
    // YAML, properties, INI, TOML, HCL.
    "justcall_api_secret: >-\n  @S@\n",
    "justcall:\n  api-secret: |\n    @S@\n",
    "justcallApiSecret: !!str @S@",
    "- value: @S@\n  name: JUSTCALL_API_SECRET\n",
    "- name: JUSTCALL_API_SECRET\n  value: @S@\n",
    "justcall.api.secret   @S@",
    "justcall.api.secret : @S@",
    "[justcall]\napi_secret = @S@",
    "[justcall]\nkey = \"@K@\"\nsecret = \"@S@\"",
    "variable \"justcall_api_secret\" {\n  type = string\n  sensitive = true\n  default = \"@S@\"\n}",
    "variable \"justcall_api_secret\" {\n  description = \"Rotated each quarter\"\n  type        = string\n  sensitive   = true\n  default     = \"@S@\"\n}",
    "resource \"aws_ssm_parameter\" \"x\" {\n  name  = \"/prod/justcall_api_secret\"\n  type  = \"SecureString\"\n  value = \"@S@\"\n}",
    "reg add HKCU\\Software\\Dialer /v JustCallApiSecret /t REG_SZ /d @S@ /f",
    // Headers.
    "> POST /v2.1/calls HTTP/1.1\n> Host: api.justcall.io\n> Authorization: @K@:@S@\n",
    "X-JustCall-Api-Secret: @S@",
    "{\"name\": \"x-justcall-secret\", \"value\": \"@S@\"}",
    "curl -H 'justcall-secret: @S@' https://example.test",
    // Tables.
    "justcall_api_key,justcall_api_secret\n@K@,@S@\n",
    "id,justcall_api_secret,plan\n17,@S@,pro\n",
    "\"id\",\"JustCall API Secret\",\"plan\"\r\n\"17\",\"@S@\",\"pro, yearly\"\r\n",
    "service\tapi_secret\tcreated\nJustCall\t@S@\t2026-01-01\n",
    "service;owner;api_secret\nJustCall;ops;@S@\n",
    "justcall_api_secret,commit\n@S@,@H@\n",
    "| service | secret | since |\n|---|---|---|\n| JustCall | `@S@` | May |\n",
    "Notes.\n\n| id | justcall secret | since |\n|---|---|---|\n| 17 | @S@ | May |\n",
    // SQL.
    "INSERT INTO settings (name, value) VALUES ('justcall_api_secret', '@S@');",
    "INSERT INTO `accounts` (`id`, `justcall_api_secret`, `plan`) VALUES (1, '@S@', 'pro');",
    "insert into accounts (id, justcall_secret, plan) values (1, 'it''s (old), gone', 'a'), (2, '@S@', 'pro');",
    "UPDATE accounts SET plan = 'pro', justcall_secret = '@S@' WHERE id = 1;",
    "--\n\nCOPY public.accounts (id, justcall_api_secret, plan) FROM stdin;\n1\t@S@\tpro\n\\.\n",
    // Other programs.
    "defaults.set(\"@S@\", forKey: \"justcallApiSecret\")",
    "[defaults setObject:@\"@S@\" forKey:@\"JustCallApiSecret\"];",
    "System.setProperty(\"justcall.api.secret\", \"@S@\");",
    "19:justcall_api_secret,40:@S@,",
    "d19:justcall_api_secret40:@S@e",
    "*3\r\n$3\r\nSET\r\n$19\r\njustcall_api_secret\r\n$40\r\n@S@\r\n",
    "(S'justcall_api_secret'\nS'@S@'\n",
    "\u{81}\u{b3}justcall_api_secret\u{d9}(@S@",
    "JUSTCALLAPISECRET=@S@",
    "justcallapisecret: @S@",
    "justcall_secretkey = @S@",
    "JUSTCALL_API_SECRET_2=@S@",
    "justcallSecret2: '@S@'",
    "just-call-api-secret: @S@",
    "--justcall-api-secret @S@",
];

/// Texts in which every value is something else.
const OTHERS: &[&str] = &[
    "<justcallApiSecret>${JUSTCALL_API_SECRET}</justcallApiSecret><etag>@S@</etag>",
    "<justcall><apiSecret/><commit>@S@</commit></justcall>",
    "<justcallApiSecretHash>@S@</justcallApiSecretHash>",
    "<entry key=\"justcall.webhook.id\">@S@</entry>",
    "<add key=\"JustCallTraceId\" value=\"@S@\"/>",
    "<add value=\"@S@\" key=\"JustCallTraceId\"/>",
    "<stripeSecret>@S@</stripeSecret><justcall/>",
    "<a href=\"https://justcall.io/recordings/@S@\">secret</a>",
    "s:19:\"justcall_api_secret\";s:0:\"\";s:6:\"commit\";s:40:\"@S@\";",
    "{\"justcall_api_secret\":\"\",\"etag\":\"@S@\"}",
    "[{\"value\":\"@S@\",\"name\":\"justcall_recording_id\"}]",
    "[{\"name\":\"justcall_secret_sha256\",\"value\":\"@S@\"}]",
    "justcall_api_secret_sha256,plan\n@S@,pro\n",
    "justcall_api_secret,commit\n,@S@\n",
    "INSERT INTO accounts (justcall_api_secret, commit) VALUES ('', '@S@');",
    "variable \"justcall_commit\" {\n  description = \"Set by the build\"\n  default = \"@S@\"\n}",
];

/// Scans each text in a separate file. Returns the indices of the texts with findings.
fn numbers_found(texts: &[&str]) -> Vec<usize> {
    let fill = |text: &str| text.replace("@S@", SECRET).replace("@K@", KEY).replace("@H@", SHA);
    let files: Vec<(String, String)> =
        texts.iter().enumerate().map(|(number, text)| (format!("{number}.txt"), fill(text))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let run = run_in(folder.path(), &["scan", "--json", "."], &[]);
    let of_line = |line: String| {
        let (number, _) = line.split_once('.').expect("a file name");
        number.parse().expect("a number")
    };
    let mut numbers: Vec<usize> = found(&run).into_iter().map(of_line).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn it_finds_a_secret_in_every_serialised_form() {
    let found = numbers_found(LEAKS);
    let missed: Vec<&&str> =
        (0..LEAKS.len()).filter(|number| !found.contains(number)).map(|number| &LEAKS[number]).collect();
    assert_eq!(missed, [] as [&&str; 0]);
    assert_eq!(found, (0..LEAKS.len()).collect::<Vec<_>>(), "each is found once");
}

#[test]
fn it_matches_no_name_of_another_value_in_a_serialised_form() {
    let found = numbers_found(OTHERS);
    assert_eq!(found.iter().map(|number| OTHERS[*number]).collect::<Vec<_>>(), [] as [&str; 0]);
}

/// In a long table, the names are far above most lines.
#[test]
fn it_finds_the_secrets_of_a_long_table() {
    let line =
        |number: usize| format!("{number},{:08x}{},pro\n", number * 0x9E37_79B9 % 0xFFFF_FFFF, &SECRET[8..]);
    let table = format!("id,justcall_api_secret,plan\n{}", (0..2000).map(line).collect::<String>());
    let folder =
        folder(&[("a.csv", &table), ("b.csv", &table.replace("justcall_api_secret", "justcall_etag"))]);
    let run = run_in(folder.path(), &["scan", "--json", "."], &[]);
    let found = found(&run);
    assert!(found.len() > 1900 && found.iter().all(|place| place.starts_with("a.csv")), "{}", found.len());
}
