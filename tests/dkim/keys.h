/* keys.h -- private keys that are used nowhere but in these tests, made by
 * openssl. */
#ifndef TESTS_DKIM_KEYS_H
#define TESTS_DKIM_KEYS_H

__attribute__((unused)) static const char rsa2048_pem[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEpAIBAAKCAQEAtfekhNASo8sZVuBkUq2uH6kpX1fyIW/wsiMzf5Ue6rDTQADS\n"
    "X62mD/L3zkbBKeUvqJCuLappjLK3CsPmj5sjFpwckz41tNa+FXsMg20BUDxNXnqp\n"
    "0aztmESSppg82tBBnHLZewNkj+KqjAbSXIBGFra+UkAbYtkvKDxFaFdHRtZ8hpis\n"
    "P0xHJ8nlpNZ9eHxdo2rRFvPkf5WPmpXm8q6FlkLu19V+Vp8/h271EXzHWO3ZUm2c\n"
    "tAK7jdICQzE0Aa2RBrIcBX+1bwBVeTslbYBmmqqeXGwsCuRGaUpPYkpyakh0RJku\n"
    "nNxfEgMdW8UBV6424MT7RInBDixXfOZZZSb/pQIDAQABAoIBABxoAhoMnFhO+I/w\n"
    "HCEvBT9iijec1ErlfWrlpWCtkAO9omC7sBupEUMsoAQm1fk7Eq9LFLHCyFLjREFN\n"
    "NyUkZ/wb1zciL0Khgk96o8exgNK8cyyEVBXMG9QZIlaY7ekPuSpZ4Hr8Wtq+XPba\n"
    "isTPboGVugy/frb15g9vJzukYldbmWuFy4efjTNTyOePX7OK3d3bqoSGVDhVUfrQ\n"
    "MVePbOHQg/ZROP1EbDQ0bJkZtokSaxWHs/9O3gCzV3xLoZR5SqmugARn6wBsIzyQ\n"
    "JN5YVOQWmnUHLThhmtJTu6GJboA+G1JEMrvetDwsY/evNnbGz37BdSXZ9dhohNNv\n"
    "ZjIYAakCgYEA36WKrjbYk9NqO4BTrBPyPy+wMy6fLH+sdE/1X+CUtQaGvDDf8Q7t\n"
    "4iBY4ilGXMgE8mRji+dMtkVfCzKuxPClUGgFk0NVtYHlpJDCoEtd49jH/G4c108h\n"
    "qVNFUj8jv+Z5ZfcTz5eEgAMhriR2JEeP1x/BeIQCmgqqYJ6xv6xNy70CgYEA0EqQ\n"
    "NwLzggNYOImiBVXjGGjks6KIwnexWTGwDnfK0dzmsrWkkJbsQAESdoixiV41eT0A\n"
    "401RbaG/Aqi2e+aHPrZnYRf+QzQVad7CPQS6bfpkiUfEwxm2QofqLZsIa0VrI5Z0\n"
    "gx7a9+cCnGLfyNOBzQHazsG57+YAz4CYtm+IjgkCgYA3vzviUSmLL5e7XTF+Izqv\n"
    "JWP2XhivLuP92jB/xatLtGTBZC1uGRqS0x1UwpUXa4RQJ1Xo+a7VgFVApVGLJbEP\n"
    "ad555r7mj4p+itb4vdCZit/OvGPUB5WMb4VICxUOMJTyJbR6eno8rosmrVAFmxDv\n"
    "vqqrL7y2SRJPIz+LV5fMwQKBgQCDQrnnMQDrqdfqqTFlU16tf0zAt2ifxHYK03kz\n"
    "ZOJ3plHrxPRT+ggfvY05DaN0Ad6I7JymoY7zG78XmeKF6hzItIIpeclN6ICmGy8k\n"
    "7NnffK/mo0en+4gUHTrCSrTfhPujjakXCFbNatMGYnjMQh3GZ6jQKt1WBQf1vACA\n"
    "14CioQKBgQC15E7S2cdzCfpjNaUTVfqS31LqZqKAOo4bLEH91fAKwtVkr3oTWYgN\n"
    "uH0p59N83NwmPdvbPrTka6SmlpH4KwiUgbtc+n0lWZp/AONuYNwIki3BXABeJis8\n"
    "sydhXN3VmuXvZq5/sxdIBQygbM4j9Ga/K/thHOJANCAKiaPV4kfzvA==\n"
    "-----END RSA PRIVATE KEY-----\n";

__attribute__((unused)) static const char rsa1024_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAL97Hje8cgFOExg6\n"
    "kSlxyR5kJg23vF0/gLrOlAe0mmxVFGmSxxHa2+YdhuVu6OD94WT7ESmKtjBROslP\n"
    "gQ8Ici6TGxLQjlgvHpZesq8SFwZXdvAUxecSTw0QMs2rooSxgobMF0HO4NRGjUCM\n"
    "1mxqe+3J9I5ywwOXwKcYjg3YOmhlAgMBAAECgYEAuWpZ33TOHG9i1BJaYHx7WL93\n"
    "jc7+SnlkiP/infeHlSFpq7ViqOp6B0FOT7rvLHcLHAJ2Ivjb5Luzph4jhdAS51Lx\n"
    "8iDq3esLn1d0K18F5yHdKrFiysSHVRjazYiDdX9GPwtwdlKe97cuZ0brpOsrCa5I\n"
    "N0+zm6Mv3Z4FSbB/nCECQQDsvn+YLEgh9DY+q8X0hSKVlSrygoqzAQ6yebMQSBNR\n"
    "Zuyuk/pL71+F6SAUj28pqItQPApkQgbFE0c0uBw7E+f5AkEAzw4lcbvslcgsxr66\n"
    "NjNBjV3O92iEY1SFqCFO12xYeYsF6psmOhKDW+JTJ8ihNfdonjA0mpV7m4fiNDR4\n"
    "EzxWzQJAG/AnMpgXMxqUxDSVOdP0Tt65oMDTCWjYiStffE5lKTgSOk/wO8HV7gGi\n"
    "7Yo3vhzLw/4x477++Yba4lfPzRD+UQJABm0X+GmutA9cZGay/M+mby7EJ6WUxkhv\n"
    "RYKTIdh4/ny0GE3sZ8z/SrDBh/CQIE6nbpFscIfHKFKVUK14NJCg2QJBAJzs/cEG\n"
    "EabgmrBFGQoTBF+zFg2RQN4EY4S0XVAHazXm8Kc4AjBLbnjtWkRqygP0tQ1RYszv\n"
    "zpi0ph3JqgN8ZtI=\n"
    "-----END PRIVATE KEY-----\n";

__attribute__((unused)) static const char rsa512_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIBVwIBADANBgkqhkiG9w0BAQEFAASCAUEwggE9AgEAAkEA9ZlgfUrlo4j0rnW2\n"
    "Yc2IzGJQe64q+Kmz2yKR0TSXSH/L/05Jxc16OfOYmWO7B8WBzHqcxAFGLCpGMKOe\n"
    "q2VeGwIDAQABAkEA5rfFOy6m96/rHBEc2lf5EPey391IJP1XJp8dGMks7T65w9m8\n"
    "mU73NOqZGw5lBnaEdiuEtHGojzHsVaZ412vSsQIhAP1ZyjnL2whvcULystGl9OV8\n"
    "GhGJ+vm+CZGYCRzQa+Q9AiEA+CrWET6RBGQR7GB2UJeD1tUwLDi+DQX5AWgzDxuY\n"
    "+TcCIQCedTB0obonNnyioOWTFrdraQls+t4Mof2eIHdinEE/CQIhAKqIbR/eebKl\n"
    "vXdMdiE9bPh0+Sx6NYcngowH+YY5Na6TAiEApZeXY5rOXS5cUxCWjp9NbakSCU8a\n"
    "8WlE//1EdqcExBY=\n"
    "-----END PRIVATE KEY-----\n";

__attribute__((unused)) static const char ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIB4cL4jKLnHzQnHs2qJJs5ysDautBcSUSBnfXO9q0n7z\n"
    "-----END PRIVATE KEY-----\n";

__attribute__((unused)) static const char ec_pem[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIC+LjXqPY0VBGsYH6N+mt1AFLDFdxdFoZAAIquXR1OHJoAoGCCqGSM49\n"
    "AwEHoUQDQgAETNi5TVn0zxY3ILnPc8oA8p+mQOaTVodsbL/XY0Whbr1kjEXb+2cx\n"
    "Ag4b39ILAWodf/HBQUQZ7IboX12BobabEA==\n"
    "-----END EC PRIVATE KEY-----\n";

__attribute__((unused)) static const char encrypted_pem[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIxzeY4vYPp+oCAggA\n"
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBAsluujVZlSMQj1b0GQLnPiBIIC\n"
    "gHQLsNvZdCm9dRUUobi0qBJ8i6eZ3k8wa4EHA4qd49BsV1XPWFAR2BhVBB+84dmJ\n"
    "6RJevvFoBw9TNDbk2szTvqt5W2k+fW+xQfAf7P06T8q2bArWS+/kJTi0POBnsC+d\n"
    "mPYSUNESUO16sCtFM4YC2MJuwM+0mpbtIZgQtZPTc5+bqQ8gZ2ZlNwMwi84Zdjmp\n"
    "33eXP6/EeZE/QijupffvwZC4fxJIgX4AvXP3lh+iQ1gOutcfHTFDxxJz36MnXeGd\n"
    "lVK08u0ftaHIV81XDZkTRCycWsARJW0vZAR3itk7fEFlfhjJ5OvyY8a5UKJ8VtGG\n"
    "/zj5SejxZPj0FDJgEhx8y98ngFgGKtdfyDl31dfA1c7MFrZ8/3NFDgXVY6A7zaqf\n"
    "z6TyEPLMLSjgTta5DBwt0t7cyMzOxUlKaGP6fMnpLC3t13hSZTbpRxVrfbitCQLo\n"
    "RWxPhEe0U31G0V0UmK3nCQfbzqbu9axhblHlLnlpvdSz/YnZKTNgXKnQeYfi8YSj\n"
    "Mnt2fFXupzqK4USI3bSpOPuT9lw95j2xea6HMZyoA7AwEfvrTCNxjUkovpGxHXAb\n"
    "0tOuC/fTvRVvbzmuaFCcpy3QyZSIRqn1SQDbXyV5l0bh3usTzPra5t+itGdtZD8t\n"
    "FBKF7ZJbKMvL0F6XxpGg3ev+VGm1u3KRLzsTPSFy1yyh7hGDOPkcQtjC08fVdNoo\n"
    "b8UqqHBSAMnCBk9G0/o0EYHbm3OGcOsEB5E2TeeDeWqy6gockg5catEL7ctnVocQ\n"
    "mGti53Bqg2U0pS6jZWQ8Cr7rJ8CXpeOtD128+n6xb1NZM0mmXfOEGw56J1ksXr7y\n"
    "0K/IqZemD8AOdzmMptUb224=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

#endif
