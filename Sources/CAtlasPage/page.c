int auscult_page_stub;
