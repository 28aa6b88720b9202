//! A tokenizer for source files that skips comments, string literals and tests. It covers only what imports need.

/// Splits source text into names, `::`, and all other characters one by one.
pub fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        if rest.starts_with(&['/', '/']) {
            at += rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len());
        } else if rest.starts_with(&['/', '*']) {
            let end = rest.windows(2).position(|pair| pair == ['*', '/']);
            at += end.map_or(rest.len(), |end| end + 2);
        } else if let Some(length) = text_length(rest) {
            at += length;
        } else if is_name(rest[0]) {
            let length = rest.iter().take_while(|letter| is_name(**letter)).count();
            tokens.push(rest[..length].iter().collect());
            at += length;
        } else if rest.starts_with(&[':', ':']) {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !rest[0].is_whitespace() {
                tokens.push(rest[0].to_string());
            }
            at += 1;
        }
    }
    tokens
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns the length of the string or character literal that begins here; `None` if none begins here.
fn text_length(rest: &[char]) -> Option<usize> {
    let quoted = |from: usize, quote: char| {
        let mut at = from;
        while at < rest.len() && rest[at] != quote {
            at += if rest[at] == '\\' { 2 } else { 1 };
        }
        at + 1
    };
    match rest {
        ['r', '#' | '"', ..] | ['b', 'r', '#' | '"', ..] => {
            let prefix = rest.iter().position(|letter| *letter != 'r' && *letter != 'b')?;
            let hashes = rest[prefix..].iter().take_while(|letter| **letter == '#').count();
            let start = prefix + hashes;
            // `r#type` is a name, not a string.
            (rest.get(start) == Some(&'"')).then(|| {
                let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                let length = rest[start + 1..].windows(end.len()).position(|letters| letters == end);
                length.map_or(rest.len(), |length| start + 1 + length + end.len())
            })
        }
        ['b', '"', ..] => Some(quoted(2, '"')),
        ['"', ..] => Some(quoted(1, '"')),
        // A lifetime has no closing quote.
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => Some(quoted(1, '\'')),
        _ => None,
    }
}

/// Removes code that is compiled only for tests, and macro definitions: a path in a macro belongs to the file that uses
/// the macro.
pub fn as_compiled(tokens: &[String]) -> Vec<String> {
    const TESTS: &[&str] = &["#", "[", "cfg", "(", "test", ")", "]"];
    const MACRO: &[&str] = &["macro_rules", "!"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = |mark: &&[&str]| {
            let here = tokens[at..].iter().map(String::as_str);
            here.take(mark.len()).eq(mark.iter().copied())
        };
        if [TESTS, MACRO].iter().any(begins) {
            at += item_length(&tokens[at..]);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Returns the number of tokens of an item: up to its `;`, or to the end of its braces.
fn item_length(tokens: &[String]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (token == ";" || token == "}") {
            return at + 1;
        }
    }
    tokens.len()
}
