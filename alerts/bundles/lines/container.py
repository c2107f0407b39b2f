"""What can be said of a bundle as a file: its container, the centre's seal on it, and the members that it names."""

from collections.abc import Mapping
from typing import Final

from alerts.bundles.faults import Fault, Line, line

FORM: Final[Mapping[str, Line]] = {
    "unreadable_file": line(Fault.FORM, "the file cannot be read: %(reason)s", "无法读取文件：%(reason)s"),
    "not_a_zip": line(Fault.FORM, "this is no bundle: it is not a ZIP file", "这不是证据包：不是 ZIP 文件"),
    "too_large": line(
        Fault.FORM, "%(size)s bytes; a bundle has %(most)s at most", "%(size)s 字节；证据包最大 %(most)s 字节"
    ),
    "too_many": line(
        Fault.FORM,
        "%(count)s members; a bundle has %(most)s at most",
        "有 %(count)s 个成员；证据包最多 %(most)s 个",
    ),
    "cut_file": line(
        Fault.CUT,
        "the file is cut off: its directory, which stands at the end, is not whole",
        "文件被截断：位于末尾的目录不完整",
    ),
    "bytes_before": line(Fault.FORM, "something stands before the bundle", "证据包之前有多余的数据"),
    "bytes_after": line(
        Fault.FORM, "a comment or something else stands after the bundle", "证据包之后有注释或多余的数据"
    ),
    "bytes_between": line(
        Fault.FORM,
        "its members do not lie one after the other: something is between them, overlaps, or was cut out",
        "成员没有依次相接：中间有多余数据、重叠或被切除",
    ),
    "other_form": line(
        Fault.FORM,
        "the ZIP header of %(name)s is not the one that the centre writes: some other program packed this file",
        "%(name)s 的 ZIP 头与中心写入的不同：此文件由其他程序重新打包",
    ),
    "twice": line(Fault.FORM, "the member %(name)s is there twice", "成员 %(name)s 出现两次"),
    "members_reordered": line(Fault.REORDERED, "its members are not in the order of their names", "成员未按名称排序"),
    "path_trick": line(
        Fault.FORM,
        "the member's name %(name)s could lead out of a folder, or is not plain",
        "成员名称 %(name)s 可能指向文件夹之外，或不规范",
    ),
    "encrypted": line(Fault.FORM, "the member %(name)s is encrypted", "成员 %(name)s 已加密"),
    "compressed": line(
        Fault.FORM,
        "the member %(name)s is compressed; a bundle holds its members as they are, so that nothing can swell",
        "成员 %(name)s 被压缩；证据包按原样存放成员，不会膨胀",
    ),
    "link": line(Fault.FORM, "the member %(name)s is a link", "成员 %(name)s 是链接"),
    "extra_field": line(
        Fault.FORM, "the member %(name)s has a comment or an extra field", "成员 %(name)s 带有注释或附加字段"
    ),
    "crc": line(Fault.FORM, "the ZIP check sum of %(name)s is wrong", "%(name)s 的 ZIP 校验和不对"),
}

SEAL: Final[Mapping[str, Line]] = {
    "no_seal": line(Fault.MISSING, "the centre's seal (%(name)s) is missing", "缺少中心的封印（%(name)s）"),
    "seal_altered": line(Fault.ALTERED, "the centre's seal was altered: %(reason)s", "中心的封印被改动：%(reason)s"),
    "seal_unreadable": line(
        Fault.ALTERED,
        "the centre's seal was altered, or is none: %(reason)s",
        "中心的封印被改动，或并非封印：%(reason)s",
    ),
    "seal_stranger": line(
        Fault.WRONG_KEY,
        "the seal was made with the key %(key)s, which your file of keys does not name as the centre's",
        "封印使用的密钥 %(key)s 不在您的密钥文件所列的中心密钥之中",
    ),
    "seal_out_of_time": line(
        Fault.WRONG_KEY,
        "the seal is of %(at)s, when the centre's key %(key)s was not trusted",
        "封印时间 %(at)s 不在中心密钥 %(key)s 的可信期内",
    ),
    "other_tenant": line(
        Fault.SWAPPED,
        "the seal is of tenant %(found)s, your keys are of %(wanted)s",
        "封印属于 %(found)s，而您的密钥属于 %(wanted)s",
    ),
    "other_case": line(
        Fault.SWAPPED,
        "this is the bundle of case %(found)s, not of %(wanted)s",
        "这是案件 %(found)s 的证据包，不是 %(wanted)s 的",
    ),
}

MEMBERS: Final[Mapping[str, Line]] = {
    "member_altered": line(
        Fault.ALTERED, "%(name)s was altered: it is not what was sealed", "%(name)s 被改动：与封存时不同"
    ),
    "member_missing": line(Fault.MISSING, "%(name)s is missing", "缺少 %(name)s"),
    "member_added": line(
        Fault.ADDED, "%(name)s was added: the seal does not know it", "%(name)s 是后加的：封印中没有它"
    ),
    "end_cut": line(
        Fault.CUT,
        "the end is cut off: revision %(revision)s of incident %(incident)s, its last, is missing",
        "结尾被截去：事件 %(incident)s 的最后一版（第 %(revision)s 版）缺失",
    ),
}
