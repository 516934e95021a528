/* test_base64.c -- one reading of each text, one text of each string. */
#include "core/base/base64.h"

#include <criterion/criterion.h>

static const struct {
	const char *bytes, *text;
} vectors[] = {
    /* RFC 4648, 10 */
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

Test(base64, is_as_its_standard_says)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct slice bytes = slice_of_str(vectors[i].bytes);
		struct slice text = slice_of_str(vectors[i].text);
		uint8_t room[32];
		struct buf b = buf_over(room, sizeof(room));

		base64_encode(bytes, &b);
		cr_assert(slice_eq(buf_slice(&b), text), "%zu", i);
		buf_clear(&b);
		cr_assert(base64_decode(text, &b), "%zu", i);
		cr_assert(slice_eq(buf_slice(&b), bytes), "%zu", i);
	}
}

Test(base64, returns_any_bytes)
{
	uint8_t bytes[256];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 3);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		uint8_t text_room[BASE64_LEN(256)], room[256];
		struct buf text = buf_over(text_room, BASE64_LEN(len));
		struct buf back = buf_over(room, len);

		base64_encode(slice_of(bytes, len), &text);
		cr_assert(text.len == BASE64_LEN(len) && !text.overflowed);
		cr_assert(base64_decode(buf_slice(&text), &back));
		cr_assert(slice_eq(buf_slice(&back), slice_of(bytes, len)));
	}
}

static const struct slice bad[] = {
    SLICE("Z"),
    SLICE("Zg"),
    SLICE("Zg="),
    SLICE("="),
    SLICE("=="),
    SLICE("==="),
    SLICE("===="),
    SLICE("Z==="),
    SLICE("Zg==Zg=="),
    SLICE("Zm8=Zm9v"),
    SLICE("Z=8="),
    SLICE("Zh=="),
    SLICE("Zm9="),
    SLICE("Zm9v\n"),
    SLICE("Zm 9vYg="),
    SLICE("Zm9v "),
    SLICE("Zm-_"),
    SLICE("Zm9\0"),
    SLICE("Zm9\x80"),
    SLICE("@AAA"),
    SLICE("[AAA"),
    SLICE("`AAA"),
    SLICE("{AAA"),
    SLICE(":AAA"),
    SLICE(",AAA"),
    SLICE(".AAA"),
};

Test(base64, refuses_every_other_form)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t room[32];
		struct buf b = buf_over(room, sizeof(room));

		cr_assert_not(base64_decode(bad[i], &b), "%zu", i);
		cr_assert(b.len == 0 && !b.overflowed, "%zu", i);
	}
}

Test(base64, knows_64_characters_of_256)
{
	unsigned known = 0;

	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[4] = {'A', 'A', 'A', (uint8_t)c};
		uint8_t room[3];
		struct buf b = buf_over(room, sizeof(room));

		known += c != '=' && base64_decode(slice_of(text, 4), &b);
	}
	cr_assert(known == 64);
}

Test(base64, writes_all_or_nothing)
{
	for (size_t room_len = 0; room_len < 8; room_len++) {
		uint8_t room[8];
		struct buf b = buf_over(room, room_len);

		base64_encode(SLICE("fooba"), &b);
		cr_assert(b.len == 0 && b.overflowed);
		if (room_len >= 5)
			continue;
		buf_clear(&b);
		cr_assert_not(base64_decode(SLICE("Zm9vYmE="), &b));
		cr_assert(b.len == 0 && b.overflowed);
	}
}
