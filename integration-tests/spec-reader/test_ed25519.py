"""Ed25519 against the vectors of RFC 8032 and the cases where verifiers differ."""

import hashlib
import unittest

import ed25519

# (key, message, signature): RFC 8032, section 7.1, tests 1, 2, 3 and SHA(abc).
RFC_8032 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
     "3dca179c138ac17ad9bef1177331a704"),
]
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
NOT_CANONICAL = [
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 1
    "0100000000000000000000000000000000000000000000000000000000000080",  # x = 0, sign 1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # x = 0, sign 1
]


class Ed25519(unittest.TestCase):
    def test_the_vectors_of_rfc_8032_verify(self) -> None:
        for key, message, signature in RFC_8032:
            self.assertTrue(ed25519.verify(*map(bytes.fromhex, (key, message, signature))))

    def test_any_flipped_bit_is_refused(self) -> None:
        key, message, signature = map(bytes.fromhex, RFC_8032[2])
        for i in range(0, 512, 7):
            wrong = bytearray(signature)
            wrong[i // 8] ^= 1 << i % 8
            self.assertFalse(ed25519.verify(key, message, bytes(wrong)))
        self.assertFalse(ed25519.verify(key, message + b"x", signature))

    def test_s_plus_the_group_order_is_refused(self) -> None:
        key, message, signature = map(bytes.fromhex, RFC_8032[1])
        s = int.from_bytes(signature[32:], "little") + ed25519.L
        self.assertFalse(ed25519.verify(key, message, signature[:32] + s.to_bytes(32, "little")))

    def test_points_of_small_order_are_refused(self) -> None:
        for encoded in map(bytes.fromhex, SMALL_ORDER):
            self.assertIn(ed25519.key_fault(encoded), ("weak", "not canonical"))
            # R = A = the point and s = 0 satisfy the equation for some messages.
            for i in range(16):
                self.assertFalse(ed25519.verify(encoded, bytes([i]), encoded + bytes(32)))

    def test_a_small_order_r_is_refused_where_the_equation_holds(self) -> None:
        # With a = 1 the key is B, so s = k and R = neutral satisfy [s]B = R + [k]A.
        key = bytes.fromhex("58" + "66" * 31)
        r = bytes.fromhex(SMALL_ORDER[0])
        k = int.from_bytes(hashlib.sha512(r + key + b"m").digest(), "little") % ed25519.L
        self.assertIsNone(ed25519.key_fault(key))
        self.assertFalse(ed25519.verify(key, b"m", r + k.to_bytes(32, "little")))

    def test_encodings_that_are_not_canonical_are_refused(self) -> None:
        for encoded in map(bytes.fromhex, NOT_CANONICAL):
            self.assertEqual(ed25519.key_fault(encoded), "not canonical")
