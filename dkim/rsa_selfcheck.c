/* rsa_selfcheck.c -- whether the engine signs as wolfSSL does.
 *
 * With a key of each size, which protect nothing: wolfSSL signs once, the
 * engine a full batch and one alone; all must be equal. */
#include "dkim/rsa_selfcheck.h"

#include <string.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>

#include "dkim/rsa_batch.h"
#include "dkim/rsa_warm.h"

static const char *const keys[RSA_SIZES] = {
    /* 1024 */
    "MIICXAIBAAKBgQC1KCWXF04K6ivm2fT0n9yWyk2/yqWywozQNwYGCWQ96Yc6er7lo2LR"
    "ZDb+G1ayebW1EfOgPDNtj1o5PbRye7RHNxFDqMbPZo/mwCDp2nj4IC2Rc9rAIYjJIFgd"
    "Vu5Hgk/Dn1EQg9vgcOcfWcd3NhuzSci6lbAP8oRPCAenGs8P6QIDAQABAoGAO3oj5Vhs"
    "ch7yLQgQaaR22zcukbKp9mfzrYTzQFYjCES89lFIjcK39gGOIJ2/ODfHldx//XLme6ke"
    "OT7uGMxOoqmZzE/WOG38WWZ5b7gJ/q/STiNHtM5PFExY4gTdFpaTvOwgSr+rUzJQUlUp"
    "ii6R3tyo2cRbuO7w3X9LY2Q9RYECQQDcgUcgxJgkJRLddj3xRbVgy+6/LjY911sNUUY2"
    "x/+6u1BTI+xM83IPVyq4s+GQp+nBXvOyTRi2N36BR6phs3GZAkEA0lFh6jFmAKZxGhx+"
    "RzHG3EHDMOkGXJLhtrAB7JWNkBXzETKReGc2mQK/XrOUN6ANjo5GCPoh/9nUy7KeOaEi"
    "0QJAf4STqbOHeH+oJUKYF8uEVPIao50J6UF9enoh7NREY6yniy0fHnE66PwzzJTaQVmZ"
    "qSZMMDS9scLt+b2EHvQzIQJBALHNhXbE7lQMYj/N6N/tcA4TNp4p0mv+7P1STT4irPwr"
    "4kMeuibNMzYmQX0hWmOwVuW21/SM6qNvF9xhlCxqUpECQFVyLIerTXwnLfoALtpaYb3z"
    "tfjZsKgc01/58mc127ZppM/FRU6MaGv2JIY7y3J3cwlEAdU3ERGdSBjl1OHKz8c=",
    /* 2048 */
    "MIIEowIBAAKCAQEAsTo4Tkj5uwUUhaFBzK7grd8Rpe4jvx9MbNubxgKMSIRcqVErJ3Hr"
    "C+GEJ/H6C54c9Vq345UZQ9+h+KLoFltzqI0vNE6ee8wx/teYWA/SEO+xh7ySSA0YeTgL"
    "CXNS7OZ24hFsdDBFv1X2vzD1rj/IjpHu6FxBTP3JgZ9F1fCDUqBkvxxoK8LVowOel3lh"
    "l8tEoblxEzaBlP4f7FtBMC7c2V7jO+dkFjlPOgZ8hVKmA6DEBIJ0InUfGC+07ElllS6A"
    "pbtPLQEp9AMYlzle6QK5S6QurBDrLWAD29fYpMqzJ4rAePcr49+cX5CTM9v3UWD3Clnh"
    "sEjSepDamuBozVdpnwIDAQABAoIBABzajjKMpf/hTrCHiwIV0frsz4o/cFlxm+HjNS7H"
    "2RVbW1yuRtjYA/z+B86bEkBpoGxVCzhFsi8p4yHASrSNH2eTKNrFa/8Fb87+RHgd3JpT"
    "noiAq84y4kemAgIAC8G0WdQ/eElIV1VUhmTP8J0gbE4Yi0K69l9gYuS0IiINKMw+49tk"
    "grDXzyeF/4kfEijPhBhNHvDltI6b4wl7Lkr2HbtYTPeJQJzqeeSHqu3fSQ/LFxbfGoFn"
    "6+RAm+tftkG9w5/f+B0Q03z/qTsmpYVNTh4YRN7w+Vc3cex39pxyXOZG0fj4P7BtSYW9"
    "8vyx5NaSlQQW5lp85lAGEE7onMFyXc0CgYEA8ptRsw1SQ+8NGwBIRMKgPAsnyQwldEwH"
    "9Fo+Oa1yNq/wq55HC5YzaBt3l0aWQoy5hLxOgglTEm2YhgkIeIGIU48u9Q5LdXiKUiAo"
    "2VLeDDgFQ55N6WQP+Qnlgu3Qd2Ks5+JWqUOaBAQqxGbR5UWnn5m9IaVGMyYSwRh/KF5b"
    "Dl0CgYEAuwLqsSbPKkYRYncuy2llWLRrPvZdMslNBFRe2OOdRQ473Fe96MsQCVErciyc"
    "tBpGcRaSsUkCMBNgHIN5kvoEJ8tYJdaxTxvN+fhmrRaHgjhCt+dlmI+gfrlI3wg637yq"
    "8XQ8Y18B/xX4khyK50iGG003gnS7l55A7xAECAt8ACsCgYAiJjzM0F45E8gredGyZBb7"
    "/LH/+ca35Q/llGJX6hM+oWtmLORhPCZGTD98OsJh4b8ncP44Dan02Rp0G4dmtw0CfhAl"
    "DHsQsQP/ZWl6ldCNtcD/8KOU67HX4028LU9/zpL6HQEH2G0wjYmblcGL3U8oBxL5TnNg"
    "NcbECXe0rftxPQKBgDXX2CSbLOhZ9iVodTOhq8lHYN1m51x48tC9TfWaSyyXtYpyRL5i"
    "wMI9+YlM6O0952wl+KRMhfG7kl+DRxyXGV0vwbhbQP+q3LoM19sb8nX+ps72M50iNS5n"
    "QGDeqLzEQF92fPCLaTK9a6z9xMxkaCAyMjpAS8aSjNWHwfFjBRezAoGBAI6Yw//XV+Jb"
    "pncfIn2BjZynbRSyQG79kyRWzxvCy5kU+fX51Qba7DyqDseiYjzboKT0Ux6mQd2dNKi9"
    "icyMj71Mm/XLx4xpz4ME1AaPc+f1y1fCBTljzr7WSFqCYLER0fF9E8+fADZybUNHeMT9"
    "a+n7wFdNAe1hj1LK247sWMHy",
    /* 3072 */
    "MIIG4gIBAAKCAYEAt2aVdJASnJ1AB4VCuTvsJfv1fNhCGF98pMaQ2g1aMdxyXc/29+6U"
    "0UY+wY8xG/GQ8plLCXaprzFtOwxzmNCb+1CNcBw+SkulZ+jTynTJV6Fs6t8ETbJk7lct"
    "DqCN7dhJcmmTsciA0kUxoFO3Gn6mjLIDTdEUsK2wKleC4oyOR4hRvaQLR+aV4Kd/r77i"
    "JeHj5+f6Jdvk47hRKTLJA1Kj5TcisaJTXCczmaU6ti6Q+HGRzNc4DX2euy7pSkp39Qg4"
    "EkyiOI/MyJRFbTl5rLpXbqipfwtImf5CHGJKOf9ocZ3sr+JASgq2aUmcQiL7I5SNm86q"
    "sZQA7tRPEOOauasA1cVtP27HQIEWak+vPikNRhkR/uPj4mSKvld/cZcIE3Idfwc8jZ0T"
    "NdirBcu11R7uO2CHGHwMlduVfvrHpXXyzQ0ZmZho0hmaSSBIaRe1uWoMGwNgYfFSXQvu"
    "saSfan+6oH4Zg6JB1cJDPvUelz+KOV1/RnUnKXWeXXW0LUEE2DErAgMBAAECggGAAVEW"
    "HX7kfLpP1AWGJcLm5+edfcTbPoJghorNt41qwQIvaLoTzrwCqWY4mBDvD/ni5/+ylAtY"
    "WkzjbbOh8vPs8VufOjlcgsaD6NrIUYyPz5/IqjsHjtJO5EMt97HMsxEbllvSKbN8acJM"
    "1Nq7mleBnn6+k3IoUP0gIiNWlyuSlXeZYe9a0HA42X0vFJ9LOPSkDjFOmCwMpD00Adp6"
    "9ex/6RgJILtdVFJ12SVRT7ZdDZ9aLYL3tYc0XLiBU3XAHp0iEZzPWD+xuKG5HZ2uYXGL"
    "qhyvY+262OqpISDELaeZUwqpHX15zgLjLY/aMp5ICIl4/RykpKeXvC1m8cbFAkD0WL8D"
    "Iln5bDDbSF1nfMnb02GUJwL/VKa0A41v+p5963B+25u6Hkmtop1O5DlaTVd0atPshflX"
    "FzuWmiWcp16NyPR0WH9rioxKhVp4HTLH6d/1HsEp5SXtXxwylUbyS0hSAXJmSAoksM3b"
    "Z5mir9ZYWdPjYeVpuLoyCGnAXmNremaBAoHBAPatyWuIWurHfZiMR59ORR91+qUzhGqN"
    "Hn/gdBGAg5g6C1wiPdaWsiZ0Zfa8T4Dp1woLWyLQw1E3X6dPXslqcYNogzVv8rBhA3/e"
    "jrPE3SPRhXnoXomSN8iiw00COjiekhrga+pGl8A1C4lrq6HJ63NqcqgCf2khrLGQgKFJ"
    "fTP5arAX9aDH5pX/3m6ChH8Mhpzx3SymvLBN+fjilEM6dMUdZ3ArGk5r0nsryo/BbiPN"
    "IVymAGLrspaBsQ/qa6cx6wKBwQC+VK9S4XC6nBymIA9K0GCV3VfRdNX61spvaACvvN11"
    "tLNyiVB3v8uPwQUzTCL7K7D4gQklmOEfBs1b6K5311L3DWKoARDEx61f6CqUu3sVtLZY"
    "9aNNSB75ZZ6zUaeVWAHgpiXK6NB+sfEHz8yx8bSiM/HNdOhcx2B7PYxY3w3Bl3jiI+e8"
    "kFQKiPDVIZjR+XKbU2AXFIkDSo5vRtZh2w4KZSn66UymXyDDF62LE1638z2ssmVUvuPc"
    "cv6nbC1/7cECgcBagh07NUaWiieNBztoOiGmj3UtlB9rsOeV59bubQbbncB5R58E0zn+"
    "XgrjYuiQ1juuVchUl+ByNi0EiFyw7jtECd7Kho63JIFSM2iMkRjKgZ/FwPqe42VQWlfq"
    "M30FNTlKXzl5NfmL7mqTO0w4Cow3RsFW38O74T0p0WlAxGQJ4+O/RKs9GNuEAeOtDHps"
    "2z2w7BVIwszMq2+iYBAiMpqRkF5Zi5cVWv5ZbxHdeQ1eWW96PPY7VVurWV6MBmkFaY0C"
    "gcBZn27fTCDU/mXPJBGPXQfeCdgsXSPVdgbk5shL+Fcf8fL94ALwIHQuQOm9+gAO3cf7"
    "fGdeONrozT8uJCbjb5U1mCv4iGfpAU12d9B1MMMIuYuT4DcBURCkx2Evdye+fy6DJjlt"
    "jqt+vTOORh9RO0ufhW47HO29onSgE59eycmkezsE4Xtho2SvgURGWAep+BgrY9s/gv/x"
    "eM4RP/37HjdCVdiquejJ/slilGe3sWtMm1FTXL2yZiDN0ahwFdRnBQECgcBfBQTc2Cwe"
    "XzLbDu0HniqNIX7fg6dhO9fnBI6qfE8LcXNiElf7gjGC3Y33llmaynvlorKas01U9Zwv"
    "L6i7qIW5dngNwE+OdD9hx2BH1l0aLCehaDAeJmpts4Nyjt3nQTDQIGo15kFs2pFJv3XM"
    "yad5yG8N0sWkWpbQ3z8Hnoc7HqFTfqAy1G8bIN2LNrD+STfr51xOgpWYUmIvPb0sKscu"
    "3nONFZ8irHZMwHdGMMMQCGaIHu3+luuOeukFAp7Ztuw=",
    /* 4096 */
    "MIIJKQIBAAKCAgEA3yE5UwtXld3ZEqr4AI6HF8JWMLBBaL5EKFfZg6A+fBiknaYPNyuF"
    "P+uN+CCTJUD4qBweTboOYxqJPqvQwfOy77guv5jc76E7Q4psKx1/JbqojTYfTd64OwZg"
    "xTRHzW5CPyhXSLpA5EqrfSJxqBvULctDgYi2Wlcd8+67MnLt/e8XPHzvSgSVQQJx2LYj"
    "5KWuVyiegy2dAsNCPmEMmTz3chAylyCvFyRaxTnMlZ8FEsXCMdCh/S73/ebC7fQnobTo"
    "ndK6ebMAqK5Howh5wVW4oEyaZ12G/u9AIgVI7xN8sNi8jR5Jb4HedMMdgbj9H90TXvp/"
    "faSOJt+2AJ789Ijc8LdRuC1slacuvhF+0Y4XS9n5TIk/1tynCV32ibSboZcpVQInhtGv"
    "zr4MvVQaWrEyn2afTJZrncr8UXoJ2Sh0JRTzARdBOk/+eWvzevTohQ2N66MOiWkJ+lgy"
    "TuoJbT9sm/6i8/VFhskR+MupXyt5bnF/GGoDdLT+hOYdcKWM0lKFJIAXmOBsy+Unudzz"
    "WUSbyRjkOGRM33yxnqeEI3KEuYjy0Rehf24U9ADPojFqWMVG/tmOZs8UNCLINN0C238A"
    "n45kpxfm7erX4fVrXkkDhuop8H9Y6NpS/Xxetg1t93g9Kd0XkkvxfxNYEjjpZ8vvPdAn"
    "AIvV/4HJgZK4KAUJiEsCAwEAAQKCAgALgHimSqrQAS1PaQno2N25Thj1l0TseCuCH7wI"
    "9hmwMIK5i2OPr+oOgXX5K0b8zcW6dwG9dtU94gBMkZfssLD66nXsKnmmzlIEUmwTTOQ8"
    "badeDdVPRSdDLMxrpx0etUKZh/9ljg/BIpg9loRgxg53qUdD2GhE21Q0g2eZyQCXEdwT"
    "D92hUyRMMQZbDprUMxGgdbL/Pcz6LlaJjlu35egSWSf5UBX/n/b7mEO4F1FCfVPJ604l"
    "OmaXWSS8X2dQKhDl7TuB3MYL6+/zIKXc8Xdpy/bOL4icyVPk/1eZ+1l2sf6YfoTl/yvP"
    "T+QVfhOy1Vu3+/Gx6FdZRRN8tLVeii+QMqPn2ZLEqDkLaTJFm3IxcvHewMVe6rwGcOJ2"
    "iIe3MNi6nU4mxFNevS63b+9GgM7G0/6HR9r08aHA1SqHERMGudMCxdT0lmmQMuW6A9XA"
    "bUqlDFZqLcuqTyFTQbInLwrpw1ud9+Lfkyp8+Z+11jqTsQCVQthBUqDWTeogQ9993cxM"
    "4jPgGHr2W2gDvdqBB0+Y9JLGqKeUFZglgOMFKO+ZdLzab0+8P9lF7JsmSOGpIq5Mgyr7"
    "w7VQpQTpxVr4pLY2hutm+Jp9wGPBhVvhiiU8/qSz7kt+zcLZiLssxemzkFCFEL4LD8g4"
    "+P4z//CggmDSWv8WV2ymu214yVJIv42DAQKCAQEA/ALuEnHDJTw928jzdsUSXozeSLZY"
    "Ls3W1RhNkZokj+FOyK4F+Toh12jBDsC9mT051bfSd3gW189iIsjw3p+n/z4PzQvDCxG3"
    "/pABLynq9M1XKuXmUutf1TWvMkr6kdacAkJgH1JDzCuD9tbE2P5bR0gyDq7Tm5zpNy+R"
    "JJWYMWk8NhG5PQnMEsoB00lwXdXbGRO6ubUEKCNyiZ6ZsP42plq/LRklT2CX5XnvC+KO"
    "maB04VRkOGmVmqOpzbLVXNNwqedAaAvoNMTWYmkOjxRtQDt8aTBxVlzjzoGmiuz65jap"
    "kaR3ZBfNHAPx3TULYlTak9N0OtVwPO5b/icioFAshQKCAQEA4qlGUArkNTeudaBOrOaN"
    "RXpU79tFr54Lc2iVt8AJixkVLsOseq3onZEaKirhKFwMrI7OgjPbNr0HlclVZUxGw2Ny"
    "WhPwsSVptNIK42FwpI6xNlZjuFFukKeSUzhn2T+YXaiH9yRoHb1lRwtISqe0EBUrYTwQ"
    "gzhmmnVJI3PN6DgyXKv6akGoj/pc1SRHVcBd699mzYqX/mkhjziQ0UXloYJ7V+vvoQ6u"
    "zPa8im17jUuqmDi0kkEnGhTff+JcwtN5723Mk1a67WLsDX11YAuocExPUA1+Qw59Qvv+"
    "c/vD3ZSkkpNLDH6eIN/JM9zbffDOP4IKF0VKERhQ4w5weCsijwKCAQEAnSWqlV/RQ4/c"
    "NwiJIT/ko4cOOaNTO+Rpmbos7KWFNR9XRHaYDQC+B5gwAuYXlM4EGYwmNw9wlySf2ncZ"
    "FInUdaqaqc8y0d07sgbUZjeqZvsA5yQzSvOxb7+pPyBYPcbow9PmIsHmuxNLmAn2+CUs"
    "gDe510QXeksPdrU3uet62xz3SfQlYbWRRwomtz1tT2ZC2NFft9vz+p+YFc8Lob30ECo4"
    "WoP6qxPdxGATu4KMT6oqGDTKxg65FpQGF9nziI3lDF3C4N7D7tvrn7RJOtmPAuXVP7bQ"
    "hf0opSZd1vXNwu7FMKexN35MDbM8CCfCsI+fOV07dlCQS76LKOH4iqVUDQKCAQAl0olh"
    "IfAi0T/TcQSv5Wj9hwRVYgmm3ICcqX8SQoFVLMJUI2LMtehzIptzHeSkj3et88aSA4U5"
    "BSIW5JnTZX8Ja7bRQTKQ3OVevw4CE2hwjT8VCiVpxGzmxo+sQ2VQ40PRnSXTH8gf7lLQ"
    "IBnYG1P4uw+aEiPPQcIdVCT4PYLGlVoSDMCkqoAuRmDnUD53GLqTeZv2AIKMeY6YD6Ba"
    "y4ceBGAAs+Ywwfp5SVL85ngPg+jbrdqz7RtRRtpkxKkl+ZQHWBMjIv3eTvuE5MKJXGin"
    "FJTHjvjax7gvTU2QnRp6ByvPKbUESLyqT62LcfdOdLh18IUujOlnIN+eg/JQmyIRAoIB"
    "AQCWVRZZZItBL9Jlak5J4nN03/8V5mFOQ9bLCdFtdOGnHs8gu0QqDj/jLvlbptcB9vAP"
    "GNFG2g4hxRrYpCkRk417qgTfoAdY+uw/AUGED4psS4XKTHuqRb3uljaL1mEMq0pEWqcG"
    "CpTSkMaU1wrMxH1+wQJi46eAKGbpVkcTdjn1qX5PJtXc7cbnADiA8FXvbD1pNNPLjBZ7"
    "PjHLhLRnqHlvyO4up8rQqh5ZhFL88Inrwpfp9wbbHzjKL5gKxPs4GOlOThJ1Zcd19iIG"
    "TwjDiwxzpYSXBCgz9zsDjbAL+Zsluvm92g5GW1dOCQYx6uvFPqQx50Q2ow6NNtWzaEzB"
    "dADD",
};

static bool agrees(struct rsa *r, struct rsa_key *key)
{
	uint8_t want[RSA_SIGNATURE_MAX];
	struct rsa_job job[RSA_BATCH_MAX], *jobs[RSA_BATCH_MAX];
	static const unsigned counts[] = {1, RSA_BATCH_MAX};

	for (unsigned i = 0; i < RSA_BATCH_MAX; i++) {
		jobs[i] = &job[i];
		job[i] = (struct rsa_job){.key = key};
		memset(job[i].digest, 0x5a, sizeof(job[i].digest));
	}
	if (!rsa_single_sign(key, job[0].digest, want))
		return false;
	for (size_t c = 0; c < COUNT(counts); c++) {
		if (!rsa_warm_make(key))
			return false;
		rsa_batch_sign(r, jobs, counts[c]);
		for (unsigned i = 0; i < counts[c]; i++)
			if (!job[i].good ||
			    memcmp(job[i].signature, want,
				rsa_key_signature_len(key)) != 0)
				return false;
	}
	return true;
}

bool rsa_selfcheck(struct rsa *r)
{
	for (size_t i = 0; i < RSA_SIZES; i++) {
		uint8_t der[2560];
		word32 len = sizeof(der);
		const char *why;

		if (Base64_Decode((const uint8_t *)keys[i],
			(word32)strlen(keys[i]), der, &len) != 0)
			return false;
		struct rsa_key *key = rsa_key_open(r, der, len, &why);
		if (key == NULL)
			return false;
		bool good = agrees(r, key);
		rsa_key_close(key);
		if (!good)
			return false;
	}
	return true;
}
