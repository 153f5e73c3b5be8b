"""Numbers in the program's addresses: `{image_id:row}` stands for a row of the database."""

from starlette.convertors import Convertor, register_url_convertor


class RowNumber(Convertor[int]):
    """A number that a row of the database can have: `{name:row}` in an address. Any other address is not found."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """The number as it stands in an address."""
        return str(value)


register_url_convertor("row", RowNumber())
